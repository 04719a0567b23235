import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { inState } from './paths.ts';

export const backupKeyFile = (): string => inState('backup.key');

/** Makes the key that backups are encrypted with, once: what was encrypted with it stays readable. */
export function ensureBackupKey(): void {
  if (existsSync(backupKeyFile())) return;
  writeFileSync(backupKeyFile(), randomBytes(32).toString('base64'), { mode: 0o600 });
}
