import { changeControl, type ChangeControlState } from '../../contracts/change-control.ts';
import { isStale, knownAt, type BudgetState } from '../../domain/budget/state.ts';
import { decisive, iso, liftedBy, MEANING } from '../../domain/budget/words.ts';
import { printable } from '../../domain/printable.ts';
import { listRuns } from './runs.ts';
import { QUERY_TIMEOUT_MS, type Session } from './session.ts';

/** The error budget of one environment. Times are ISO 8601. */
export interface ZoneView {
  system: string;
  environment: string;
  zone: BudgetState['zone'];
  since: string;
  /** What it means for releases. */
  meaning: string;
  /** What ends it; empty in green. */
  liftedBy: string[];
  /** What is known is too old to be trusted; the zone stays as it is. */
  stale: boolean;
  /** When all objectives were last measured. */
  measuredAt?: string;
  slos: { name: string; zone: BudgetState['zone']; remaining?: number; burnRate?: number; fault?: string }[];
  /** The workflow at GitHub, when something is known of it. */
  deployWorkflow?: { of: string; state: string };
}

export interface Zones {
  zones: ZoneView[];
  /** Environments whose change control did not answer: no worker took the question. */
  unanswered: string[];
}

/** The zones of every environment that has an error budget. */
export async function readZones(
  session: Session,
  where: { system?: string; environment?: string },
  now: number,
): Promise<Zones> {
  const runs = await listRuns(session, { ...where, procedure: changeControl.procedure, state: 'running', limit: 200 });
  const unanswered: string[] = [];
  const found = await Promise.all(
    runs.map(async ({ id }) => {
      try {
        const state = await session.bounded(
          () => session.client.workflow.getHandle(id).query<ChangeControlState>('state'),
          QUERY_TIMEOUT_MS,
        );
        return state.budget ? viewOf(state, state.budget, now) : undefined;
      } catch {
        unanswered.push(id);
        return undefined;
      }
    }),
  );
  const zones = found.flatMap((each) => each ?? []);
  zones.sort((one, other) => placeOf(one).localeCompare(placeOf(other)));
  return printable({ zones, unanswered: unanswered.sort() });
}

const placeOf = ({ system, environment }: ZoneView): string => `${system} ${environment}`;

function viewOf({ system, environment }: ChangeControlState, budget: BudgetState, now: number): ZoneView {
  const { zone, since, slos, workflow } = budget;
  const known = knownAt(budget);
  return {
    ...{ system, environment, zone },
    since: iso(since),
    meaning: MEANING[zone],
    liftedBy: decisive(budget).map(liftedBy).filter(Boolean),
    stale: isStale(budget, now),
    ...(known === undefined ? {} : { measuredAt: iso(known) }),
    slos: slos.map(({ name, zone: of, remaining, burnRate, fault }) => ({
      ...{ name, zone: of },
      ...(remaining === undefined ? {} : { remaining }),
      ...(burnRate === undefined ? {} : { burnRate }),
      ...(fault === undefined ? {} : { fault }),
    })),
    ...(workflow ? { deployWorkflow: workflow } : {}),
  };
}
