import type { Priority } from '../../contracts/change-control.ts';
import { isUrgent } from '../lease/state.ts';

/** Who wants to change something, as far as admission asks. */
export interface ChangeRequest {
  kind: Priority;
  service?: string;
  /** Of a release: it says of itself that it is critical. */
  critical?: boolean;
}

/**
 * One reason why an environment is closed to a request now. Each kind of rule (`source`) finds its own by a pure function
 * of the moment; what they have in common is all that admission knows.
 */
export interface Closure {
  source: 'freeze' | 'error-budget';
  /** Its name, as the catalog or whoever made it says. */
  rule: string;
  reason: string;
  /** When it opens by itself, in milliseconds since the epoch; absent when nothing says so. */
  opens?: number;
}

/** What is so of an environment. A new kind of rule adds its closures to the others. */
export interface ChangeState {
  closures: Closure[];
}

export type Admission =
  | { verdict: 'admitted' }
  /** `opens` is when the last of the closures does. */
  | { verdict: 'refused'; rule: string; opens?: number; message: string; closures: Closure[] }
  | { verdict: 'passes-by-break-glass'; reason: string; closures: Closure[] };

/**
 * The one place where it is decided whether a change may begin. What brings a service back passes every closure, and that
 * is recorded as break-glass; reviews change nothing and are always admitted.
 */
export function admit({ kind }: ChangeRequest, at: number, { closures }: ChangeState): Admission {
  const closed = closures.filter(({ opens }) => opens === undefined || opens > at);
  if (closed.length === 0 || kind === 'review') return { verdict: 'admitted' };
  const described = closed.map(describe).join('; ');
  if (isUrgent(kind))
    return { verdict: 'passes-by-break-glass', reason: `${kind} passes ${described}`, closures: closed };
  const last = [...closed].sort((one, other) => opening(other) - opening(one))[0]!;
  return {
    verdict: 'refused',
    rule: last.rule,
    ...(last.opens === undefined ? {} : { opens: last.opens }),
    message: `closed to ${kind === 'deployment' ? 'deployments' : 'maintenance'} by ${described}`,
    closures: closed,
  };
}

const opening = ({ opens }: Closure): number => opens ?? Infinity;

const describe = ({ source, rule, reason, opens }: Closure): string =>
  // What ends an error budget's zone is no time, and part of its reason.
  source === 'error-budget'
    ? `${source} ${rule} (${reason})`
    : `${source} ${rule} (${reason}), which ${opens === undefined ? 'does not say when it opens' : `opens at ${new Date(opens).toISOString()}`}`;
