import type { Client } from '@temporalio/client';
import { GRPC, grpcStatus } from '../../adapters/temporal/grpc.ts';
import type { TokenIdentity } from '../../adapters/identity/tokens.ts';
import { askRun, updateRun } from '../../adapters/temporal/messages.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { SystemCatalog } from '../../contracts/catalog.ts';
import { gateId, readGateId, type GateReference } from '../../contracts/gate-id.ts';
import type { Decision, DecisionResult, GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import type { IdentityKind, StatementClaims } from '../../contracts/statement.ts';
import { withGrantedRoles } from '../../domain/gate-rights.ts';
import { printable } from '../../domain/printable.ts';
import { Refusal } from '../requests.ts';
import { rightsOf, rolesOfPerson, type Rights } from './rights.ts';
import { toRun, type RunShown } from './run.ts';

const DESCRIBE_MS = 5000;
const QUERY_MS = 4000;
const UPDATE_MS = 8000;
/** Gates of more procedures than this are not looked through for one person's list. */
const MOST_RUNS = 100;

/** A gate with all that somebody must see before they decide it, and what they may do. */
export interface GateSight {
  id: string;
  /** Who looks. */
  me: Known;
  run: RunShown;
  gate: GateView;
  may: Rights;
  progress?: ProgressView;
}

/** Who looks or decides, as it was verified. */
export interface Visitor {
  how: IdentityKind;
  identity: TokenIdentity;
}

/** A visitor among the people of a system. */
export interface Known {
  name: string;
  /** Granted by groups, besides those of the catalog. */
  granted: string[];
  /** How it was told, when more is known than how they came: a service comes with a token as people do. */
  how?: IdentityKind;
}

/** What a person says; who, which gate and which run are known. */
export type Said = Omit<Decision, 'gate' | 'by' | 'statement'>;

export interface DeskOptions {
  client: Client;
  catalog: { current(): Promise<Catalog> };
  /** Undefined when a visitor is none of a system's people. */
  identify: (visitor: Visitor, system: SystemCatalog) => Known | undefined;
  /** Signs who says it: what enters a history is no token. Absent: the name alone is sent. */
  sign?: (claims: StatementClaims) => Promise<string>;
}

export interface Desk {
  /** A gate, for one of the system's people. @throws Refusal 404 for anybody else, as when there is none; 503 */
  find: (id: string, visitor: Visitor) => Promise<GateSight>;
  /** Gates that wait for a role of somebody, what expires first first. `unseen`: procedures whose gates nobody showed. */
  waiting: (visitor: Visitor) => Promise<{ gates: GateSight[]; unseen: RunShown[] }>;
  /** Decides a gate as the procedure answers. @throws Refusal 404, 503 */
  decide: (id: string, said: Said, visitor: Visitor) => Promise<{ result: DecisionResult; sight: GateSight }>;
}

export const NO_WORKER =
  'No worker answers, and only a worker can show and take a decision. Start one, then try again; or leave a signal with the command line: windlass approve ID GATE --signal --code CODE';

/** Shows gates to the people of their systems, and takes their decisions to the procedures. */
export function createDesk({ client, catalog, identify, sign }: DeskOptions): Desk {
  return {
    find,
    async waiting(visitor) {
      const at = Date.now();
      const { systems } = await catalog.current();
      const mine = [...systems].flatMap(([system, { catalog: of }]) => {
        const known = identify(visitor, of);
        return known
          ? [{ system, roles: rolesOfPerson(known.name, withGrantedRoles(of.people, known.name, known.granted), at) }]
          : [];
      });
      const roles = [...new Set(mine.flatMap((each) => each.roles))];
      if (roles.length === 0) return { gates: [], unseen: [] };
      const runs = (await listWaiting(roles)).filter(({ system, awaiting }) =>
        mine.some((each) => each.system === system && awaiting.some((role) => each.roles.includes(role))),
      );
      const unseen: RunShown[] = [];
      const sights = await Promise.all(
        runs.map(async (run) => {
          const seen = await lookAt(run, visitor);
          if (seen === 'no-worker') unseen.push(run);
          return seen === 'no-worker' ? [] : seen.filter(({ may }) => Object.values(may).includes(true));
        }),
      );
      const gates = sights.flat().sort((one, other) => one.gate.expiresAt.localeCompare(other.gate.expiresAt));
      return { gates, unseen };
    },
    async decide(id, said, visitor) {
      const sight = await find(id, visitor);
      const { workflowId, runId } = sight.run;
      const decision: Decision = { ...said, gate: sight.gate.name, by: sight.me.name };
      const {
        how,
        identity: { issuer, subject },
      } = visitor;
      const claims = {
        ...decision,
        how: sight.me.how ?? how,
        identity: { issuer, subject },
        roles: sight.me.granted,
        workflowId,
        runId,
      };
      const payload = sign ? { ...decision, statement: await sign(claims) } : decision;
      const answer = await reaching(() =>
        unlessOver(() =>
          updateRun<DecisionResult>(
            client,
            { workflowId, runId },
            { name: 'decide', argument: payload, milliseconds: UPDATE_MS },
          ),
        ),
      );
      if (answer === undefined) return { sight, result: await overAnswer(id, visitor) };
      if (answer.answered) return { sight, result: printable(answer.value) };
      if (answer.why === 'refused') throw new Refusal(409, 'the procedure takes no decision');
      throw new Refusal(503, `${NO_WORKER} What you decided may still take effect when one starts.`);
    },
  };

  async function find(id: string, visitor: Visitor): Promise<GateSight> {
    const reference = readGateId(id);
    const run = reference && (await describe(reference));
    const seen = run && (await lookAt(run, visitor));
    if (seen === 'no-worker') throw new Refusal(503, NO_WORKER);
    const sight = seen?.find(({ gate }) => gate.name === reference?.gate);
    // The same words whether there is none or it is none of theirs.
    if (!sight) throw new Refusal(404, NO_GATE);
    return { ...sight, id };
  }

  async function describe({ workflowId, runId }: GateReference): Promise<RunShown | undefined> {
    const found = await reaching(() =>
      unlessOver(() =>
        client.withDeadline(Date.now() + DESCRIBE_MS, () => client.workflow.getHandle(workflowId, runId).describe()),
      ),
    );
    return found && toRun(found);
  }

  async function listWaiting(roles: string[]): Promise<RunShown[]> {
    const quoted = roles.map((role) => `'${role.replaceAll("'", "''")}'`).join(', ');
    const query = `ExecutionStatus = 'Running' AND OpsAwaiting IN (${quoted}) AND WorkflowId NOT STARTS_WITH 'plan/'`;
    return reaching(() =>
      client.withDeadline(Date.now() + DESCRIBE_MS, async () => {
        const runs: RunShown[] = [];
        for await (const info of client.workflow.list({ query, pageSize: MOST_RUNS })) {
          runs.push(toRun(info));
          if (runs.length === MOST_RUNS) break;
        }
        return runs;
      }),
    );
  }

  /** The gates of a run as one of the system's people sees them: nobody else sees any. */
  async function lookAt(run: RunShown, visitor: Visitor): Promise<GateSight[] | 'no-worker'> {
    const system = (await catalog.current()).systems.get(run.system)?.catalog;
    const me = system && identify(visitor, system);
    if (!me) return [];
    const [gates, progress] = await Promise.all([
      reaching(() => askRun<GateView[]>(client, run, 'gates', QUERY_MS)),
      reaching(() => askRun<ProgressView>(client, run, 'progress', QUERY_MS)),
    ]);
    if (!gates.answered) return gates.why === 'no-worker' ? 'no-worker' : [];
    const context = {
      people: withGrantedRoles(system.people, me.name, me.granted),
      requestedBy: run.requestedBy,
      at: Date.now(),
    };
    return printable(gates.value).map((gate) => ({
      id: gateId({ workflowId: run.workflowId, runId: run.runId, gate: gate.name }),
      me,
      run,
      gate,
      may: rightsOf(me.name, gate, context),
      ...(progress.answered ? { progress: printable(progress.value) } : {}),
    }));
  }

  /** A run that is over takes no Update; what became of its gate is the answer all the same. */
  async function overAnswer(id: string, visitor: Visitor): Promise<DecisionResult> {
    const { gate } = await find(id, visitor);
    return gate.outcome === 'expired'
      ? { code: 'expired', message: `Gate ${gate.name} expired; the procedure is over.`, gate }
      : { code: 'already-decided', message: `Gate ${gate.name} is ${gate.outcome}; the procedure is over.`, gate };
  }
}

export const NO_GATE = 'there is no such gate, or it is none of yours';

/** Undefined when the server knows no such run that is open, or the id of a run is none. */
async function unlessOver<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return undefined;
    const code = grpcStatus(error)?.code;
    if (code === GRPC.notFound || code === GRPC.invalidArgument) return undefined;
    throw error;
  }
}

/** @throws Refusal 503 when the Temporal server is at fault: the text of its error is for the log */
async function reaching<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refusal || grpcStatus(error) === undefined) throw error;
    throw new Refusal(503, 'the Temporal server does not answer: try again later', { cause: error });
  }
}
