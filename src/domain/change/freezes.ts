import type { Priority, StartedFreeze } from '../../contracts/change-control.ts';
import type { ChangeKind, FreezeRule, FreezeState } from '../../contracts/freeze.ts';
import type { Closure } from './admission.ts';

/** Freezes that people started, as the calendar reads those of the catalog. */
export const startedRules = (freezes: StartedFreeze[]): FreezeRule[] =>
  freezes.map(({ name, reason, by, changes, from, until }) => ({
    name,
    reason: `${reason}, says ${by}`,
    effect: 'deny',
    changes,
    once: { zone: 'UTC', from: wallOf(from), until: wallOf(until) },
  }));

const wallOf = (at: number): string => new Date(at).toISOString().slice(0, -1);

/** What freezes close to a request. What has no kind of its own among them passes any; reviews change nothing. */
export function freezeClosures(kind: Priority, stateFor: (kind: ChangeKind) => FreezeState): Closure[] {
  const kinds: ChangeKind[] =
    kind === 'review' ? [] : kind === 'deployment' || kind === 'maintenance' ? [kind] : ['deployment', 'maintenance'];
  for (const each of kinds) {
    const found = stateFor(each);
    if (found.state === 'open') continue;
    const { rule, reason, opens } = found;
    return [{ source: 'freeze', rule, reason, ...(opens === undefined ? {} : { opens }) }];
  }
  return [];
}
