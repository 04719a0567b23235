import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Narrator } from './narrator.ts';
import { windlass } from './windlass.ts';

/**
 * Exports what the demo did and verifies the files, as an auditor would.
 * @throws Error when the export is not found as it was written
 */
export async function showAudit(tell: Narrator): Promise<void> {
  tell.chapter('The audit: who did what, exported and verified without any server');
  const folder = mkdtempSync(join(tmpdir(), 'windlass-audit-'));
  const asked = ['audit', 'export', 'sandbox', 'local', '--to', folder];
  const exported = await windlass(asked, 'sam');
  if (exported.code !== 0) throw new Error(`windlass ${asked.join(' ')} failed: ${JSON.stringify(exported.json)}`);
  tell.say(`sam: windlass ${asked.join(' ')}`);
  const { code, json } = await windlass(['audit', 'verify', folder], 'sam');
  if (code !== 0) throw new Error(`the export is altered: ${JSON.stringify(json)}`);
  const [chain] = json['chains'] as { records: number; segments: number }[];
  tell.say(`sam: windlass audit verify ${folder}`);
  tell.say(`  ${chain?.records} records in ${chain?.segments} segments, each as it was written`);
}
