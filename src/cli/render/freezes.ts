import type { ChangeKind, FreezeRule } from '../../contracts/freeze.ts';
import type { Paint } from '../io.ts';

/** Whether an environment takes changes, and by which freezes. */
export interface FrozenEnvironment {
  system: string;
  environment: string;
  states: {
    kind: ChangeKind;
    state: 'open' | 'closed';
    rule?: string;
    reason?: string;
    closes?: string;
    opens?: string;
  }[];
  freezes: FreezeRule[];
}

export function renderEnvironments(found: FrozenEnvironment[], paint: Paint): string {
  if (found.length === 0) return 'The catalog has no such environment.';
  return found
    .flatMap(({ system, environment, states }) =>
      states.map(({ kind, ...state }) => `${system} ${environment}  ${kind.padEnd(11)}  ${stateText(state, paint)}`),
    )
    .join('\n');
}

type State = Omit<FrozenEnvironment['states'][number], 'kind'>;

function stateText({ state, rule, reason, closes, opens }: State, paint: Paint): string {
  if (state === 'closed')
    return `${paint('red', 'closed')} by ${rule} (${reason}); ${opens ? `opens at ${opens}` : 'nothing says when it opens'}`;
  return `${paint('green', 'open')}${closes ? `; closes at ${closes} by ${rule}` : ''}`;
}

export const renderRules = (freezes: FreezeRule[]): string =>
  freezes.length === 0
    ? 'It has no freezes.'
    : freezes
        .map(({ name, effect, changes, reason, ...when }) =>
          `${name}: ${effect === 'deny' ? 'no' : 'only then'} ${changes.join(' and ')}, ${whenText(when)}: ${reason}`)
        .join('\n'); // prettier-ignore

function whenText({ recurring, once }: Pick<FreezeRule, 'recurring' | 'once'>): string {
  if (once) return `from ${once.from} until ${once.until} (${once.zone})`;
  if (!recurring) return 'never';
  const { days, week, from, until, untilDay, zone } = recurring;
  const which = week === undefined ? 'every' : `in week ${week} of a month, on`;
  return `${which} ${days.join(', ')} from ${from} until ${untilDay ? `${untilDay} ` : ''}${until} (${zone})`;
}
