import { waitFor } from '../../../scripts/sandbox/wait.ts';
import { startLoad } from '../../../scripts/load/load-generator.ts';
import type { LoadReport } from '../../../scripts/load/load-report.ts';
import { changeControlId, type ChangeControlState } from '../../../src/contracts/change-control.ts';
import { auditPosition, effectsOf, readAudit, type AuditEntry } from './audit.ts';
import type { Bench } from './bench.ts';
import { giveOrders, keyOf, normalize, readCalls, strikesDone, type CallLine, type Strike } from './calls.ts';
import type { Live } from './cluster.ts';
import type { Traces } from './compare.ts';
import { decideGates } from './decide.ts';
import { outcomeOf } from './outcome.ts';
import type { Scenario } from './scenarios.ts';
import { leaveStage, type Stage } from './stage.ts';
import { describeChangeControl, describeObjects } from './state.ts';
import type { StruckWorker } from './worker.ts';

export interface Run {
  environment: string;
  traces: Traces;
  calls: CallLine[];
  /** Changes in the API server's audit log that the interception of calls did not see; it must be empty. */
  unseen: string[];
  objects: Live[];
  /** How many of the ordered strikes took place. */
  struck: number;
  requests: number;
  tookMs: number;
}

const REQUESTS_PER_SECOND = 10;

export interface RunOptions {
  scenario: Scenario;
  stage: Stage;
  strikes?: Strike[];
  /** Happens while the procedure runs. */
  meanwhile?: () => Promise<void>;
}

/** Carries a scenario out once, under a light load, and gathers what it left. */
export async function runScenario(
  bench: Bench,
  worker: StruckWorker,
  { scenario, stage, strikes = [], meanwhile }: RunOptions,
): Promise<Run> {
  const { environment, address } = stage;
  const started = Date.now();
  const auditFrom = auditPosition(bench.auditLog);
  const databasesFrom = await bench.databases.position();
  giveOrders(worker.folder, { environment, strikes });
  const load = startLoad({ url: address, requestsPerSecond: REQUESTS_PER_SECOND, connections: 2 });
  try {
    const input = scenario.input(environment, await bench.cluster.list(environment));
    const { procedure } = scenario;
    const { system } = input;
    const workflowId = procedure.workflowId(procedure.input.parse(input));
    const { taskQueue } = worker;
    const handle = await bench.client.workflow.start(procedure.procedure, { workflowId, taskQueue, args: [input] });
    const over = new AbortController();
    const deciding = scenario.decisions && decideGates(bench.client, handle, scenario.decisions, over.signal);
    const ended = outcomeOf(handle).finally(() => over.abort());
    const [outcome] = await Promise.all([ended, meanwhile?.(), deciding]);
    const tookMs = Date.now() - started;
    const handleOfControl = bench.client.workflow.getHandle(changeControlId({ system, environment }));
    // A query times out when the worker, which may just have started, has no time for it.
    const control =
      scenario.leases === false
        ? undefined
        : await waitFor('the state of change control', () => handleOfControl.query<ChangeControlState>('state'), {
            timeoutSeconds: 60,
            everyMs: 500,
          });
    const report = await load.stop();
    const [objects, audit, databases, changes] = await Promise.all([
      bench.cluster.list(environment),
      readAudit(bench.auditLog, auditFrom, environment),
      bench.databases.describe(environment),
      bench.databases.effects(environment, databasesFrom),
    ]);
    const calls = readCalls(worker.folder).filter((call) => call.environment === environment);
    const state = [...describeObjects(objects, environment), ...(control ? [describeChangeControl(control)] : [])];
    return {
      environment,
      traces: {
        outcome: normalize(outcome, environment),
        state: [...state, ...databases, ...(await bench.evidence(environment))],
        effects: [...effectsOf(audit, environment), ...changes],
        notices: await bench.notices(environment),
        ...trafficOf(report),
      },
      calls,
      unseen: unseenBy(calls, audit, environment),
      objects,
      struck: strikesDone(worker.folder),
      requests: report.issued,
      tookMs,
    };
  } finally {
    await load.stop();
    await leaveStage(bench, environment);
  }
}

function trafficOf({ failures, versions }: LoadReport): Pick<Traces, 'failedRequests' | 'servedBy'> {
  return {
    failedRequests: failures.map(
      ({ count, kind, version }) => `${count} requests failed: ${kind} by ${version ?? 'nobody'}`,
    ),
    servedBy: Object.keys(versions).sort(),
  };
}

const METHODS: Record<string, string> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};

/** Audited changes minus recorded calls, by method and path. */
function unseenBy(calls: CallLine[], audit: AuditEntry[], environment: string): string[] {
  const seen = calls.filter(({ outcome }) => outcome === 'sent').map(({ key }) => key.replace(/^\S+ /, ''));
  return audit
    .map(({ verb, requestURI }) => keyOf('', METHODS[verb] ?? verb, requestURI, environment).trim())
    .filter((change) => {
      const index = seen.indexOf(change);
      if (index >= 0) seen.splice(index, 1);
      return index < 0;
    });
}
