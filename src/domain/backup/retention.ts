import type { BackupSummary } from '../../contracts/backup.ts';

export interface Retention {
  /** Milliseconds. */
  keepFor: number;
  keepAtLeast: number;
}

/**
 * Which backups have had their time: older than `keepFor`, not among the newest `keepAtLeast`, and not the newest one
 * that a test restore has proved, which is worth more than younger ones that nobody has tried.
 * @returns their ids, the oldest first
 */
export function expiredBackups(backups: BackupSummary[], { keepFor, keepAtLeast }: Retention, at: number): string[] {
  const newestFirst = [...backups].sort((one, other) => other.id.localeCompare(one.id));
  const proved = newestFirst.find(({ verified }) => verified?.good);
  return newestFirst
    .slice(keepAtLeast)
    .filter((backup) => backup !== proved && Date.parse(backup.snapshotAt) + keepFor <= at)
    .map(({ id }) => id)
    .reverse();
}

/** The id of a backup that begins now: it sorts by time, and no two runs make the same one. */
export const backupIdOf = (at: number, mark: string): string =>
  `${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${mark}`;
