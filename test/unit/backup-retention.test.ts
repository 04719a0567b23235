import type { BackupSummary } from '../../src/contracts/backup.ts';
import { backupId } from '../../src/contracts/verify-backup.ts';
import { backupIdOf, expiredBackups } from '../../src/domain/backup/retention.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 30, 2);

/** A backup of so many days ago. */
const of = (days: number, good?: boolean): BackupSummary => {
  const at = NOW - days * DAY;
  return {
    id: backupIdOf(at, '1f3870be'),
    snapshotAt: new Date(at).toISOString(),
    bytes: 1,
    keyId: 'k',
    ...(good === undefined ? {} : { verified: { at: '', good } }),
  };
};
const ages = (ids: string[], among: BackupSummary[]): number[] =>
  ids.map((id) => Math.round((NOW - Date.parse(among.find((each) => each.id === id)!.snapshotAt)) / DAY));

test.each<[string, BackupSummary[], number[]]>([
  ['none is older than it is kept for', [of(0), of(10), of(29)], []],
  ['those that have reached their age go, the oldest first', [of(0), of(1), of(30), of(45)], [45, 30]],
  ['the newest two stay however old they are', [of(100), of(200), of(300)], [300]],
  ['the newest proved one stays', [of(0), of(1), of(40), of(50, true), of(60, true)], [60, 40]],
  ['one that failed its test restore does not count as proved', [of(0), of(1), of(40, false)], [40]],
  ['of none, none goes', [], []],
])('%s', (_, backups, gone) => {
  expect(ages(expiredBackups(backups, { keepFor: 30 * DAY, keepAtLeast: 2 }, NOW), backups)).toEqual(gone);
});

test('an id sorts by time and is one that procedures take', () => {
  expect(backupIdOf(NOW, '1f3870be')).toBe('20261130T020000Z-1f3870be');
  expect(backupId.safeParse(backupIdOf(NOW, '1f3870be')).success).toBe(true);
});
