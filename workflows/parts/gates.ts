import { condition, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import { decisionSchema, type DecisionResult, type GateSpec } from '../../src/contracts/gates.ts';
import { renderGates } from '../../src/domain/current-details.ts';
import {
  decideGate,
  expireGate,
  expiresAt,
  gateCode,
  openGate,
  viewGate,
  type GateState,
} from '../../src/domain/gate.ts';
import { approve, decide, gates as gatesQuery, reject } from '../messages.ts';
import { failure } from './failure.ts';
import type { Procedure } from './procedure.ts';

/** Refused decisions of one run that are still explained one by one; a flood beyond it is counted only. */
const EXPLAINED_REFUSALS = 100;

/** Beyond this the interval between checks does not grow. */
const RAREST_RECHECK_MS = 30 * 60_000;

export interface GateOptions {
  /** What an approval approves: digest of intent and preconditions. */
  digest: string;
  people: { name: string; roles: string[] }[];
  requestedBy: string;
  /** Repeats the checks while people think; what it returns is shown beside the gates. */
  recheck?: { everyMs: number; run: () => Promise<string[]> };
}

export interface Gates {
  /**
   * Opens the gates together and waits until every one is approved.
   * @throws ApplicationFailure `GateNotApproved` when one is rejected or expires.
   */
  pass(specs: GateSpec[], options: GateOptions): Promise<void>;
  /** Who approved which gate, in words. */
  summary(): string;
}

/** Registers the gate messages; called before the first `await`. */
export function useGates(procedure: Procedure): Gates {
  let states: GateState[] = [];
  let options: GateOptions | undefined;
  let refused = 0;

  const answer = (raw: unknown): DecisionResult => {
    if (refused >= EXPLAINED_REFUSALS)
      return {
        code: 'rate-limited',
        message: 'Too many decisions without effect in this run; only windlass reject and abort are heard.',
      };
    const parsed = decisionSchema.safeParse(raw);
    if (!parsed.success)
      return {
        code: 'malformed',
        message: 'Expected {"gate": "<name>", "by": "<who>", "code": "<as shown>"} and optionally "reason".',
      };
    const decision = parsed.data;
    const index = states.findIndex(({ spec }) => spec.name === decision.gate);
    const gate = states[index];
    if (!gate || !options)
      return { code: 'unknown-gate', message: `No gate ${decision.gate} is open. Open: ${names(states) || 'none'}.` };
    const decided = decideGate(gate, decision, { ...options, at: Date.now(), all: states });
    states[index] = decided.gate;
    return decided.result;
  };
  const take = (raw: unknown): DecisionResult => {
    const result = answer(raw);
    if (result.code === 'recorded') procedure.record(`${describe(raw)}: ${result.message}`);
    else if (refused++ < EXPLAINED_REFUSALS)
      procedure.record(`decision without effect (${result.code}): ${result.message}`);
    return result;
  };

  setHandler(decide, take, {
    description:
      'Decide a gate: {"gate": "…", "decision": "approve" or "reject", "by": "…", "code": "…", "reason": "…"}',
  });
  setHandler(approve, (raw) => void take(withDecision(raw, 'approve')), {
    description: 'Approve a gate: {"gate": "…", "by": "…", "code": "…"}',
  });
  setHandler(reject, (raw) => void take(withDecision(raw, 'reject')), {
    description: 'Reject a gate: {"gate": "…", "by": "…", "code": "…", "reason": "…"}',
  });
  setHandler(gatesQuery, () => states.map(viewGate), {
    description: 'Gates with their outcome, who decided and what to type',
  });
  procedure.setAppendix(() => (options ? renderGates(states, workflowInfo().workflowId, options) : ''));

  const waiting = (): GateState[] => states.filter(({ outcome }) => outcome === 'waiting');
  const settled = (): boolean =>
    waiting().length === 0 || states.some(({ outcome }) => outcome === 'rejected' || outcome === 'expired');

  return {
    async pass(specs, given) {
      if (specs.length === 0) return;
      options = given;
      const now = Date.now();
      const code = gateCode(workflowInfo().runId, given.digest);
      states = specs.map((spec) => openGate(spec, code, now));
      procedure.tell(`Waiting for ${specs.map((spec) => `${spec.name} (${spec.roles.join(' or ')})`).join(', ')}`);
      try {
        await waitUntilSettled(given);
      } catch (error) {
        if (isCancellation(error)) withdraw();
        throw error;
      } finally {
        procedure.awaitRoles([]);
        procedure.show('checks', '');
      }
      const refusal = states.find(({ outcome }) => outcome !== 'approved');
      if (!refusal) return;
      withdraw();
      throw failure('GateNotApproved', describeRefusal(refusal));
    },
    summary: () =>
      states.map(({ spec, approvals }) => `${spec.name}: ${approvals.map(({ by }) => by).join(', ')}`).join('; '),
  };

  async function waitUntilSettled(given: GateOptions): Promise<void> {
    const escalated = new Set<string>();
    // Checks become rarer the longer people think: at a fixed interval of seconds a day of waiting would fill the history.
    let recheckAfterMs = given.recheck?.everyMs ?? Infinity;
    for (;;) {
      const now = Date.now();
      states = states.map((gate) => expireGate(gate, now));
      if (settled()) return;
      for (const { spec, openedAt } of waiting()) {
        if (!spec.escalation || escalated.has(spec.name) || now < openedAt + spec.escalation.afterMs) continue;
        escalated.add(spec.name);
        procedure.record(`gate ${spec.name} escalates to ${spec.escalation.roles.join(', ')}`);
        procedure.tell(`Nobody has decided gate ${spec.name}; asking ${spec.escalation.roles.join(' and ')} too.`);
      }
      procedure.awaitRoles([...new Set(waiting().flatMap(({ spec }) => spec.roles))]);
      const decided = states.map(({ approvals }) => approvals.length).join();
      await condition(
        () => settled() || decided !== states.map(({ approvals }) => approvals.length).join(),
        Math.max(1, nextWake(escalated, recheckAfterMs) - now),
        { summary: `Wait for ${names(waiting())}` },
      );
      if (!given.recheck || settled()) continue;
      procedure.show('checks', (await given.recheck.run()).join('; '));
      recheckAfterMs = Math.max(given.recheck.everyMs, Math.min(2 * recheckAfterMs, RAREST_RECHECK_MS));
    }
  }

  function nextWake(escalated: Set<string>, recheckAfterMs: number): number {
    const escalations = waiting().flatMap(({ spec, openedAt }) =>
      spec.escalation && !escalated.has(spec.name) ? [openedAt + spec.escalation.afterMs] : [],
    );
    return Math.min(...waiting().map(expiresAt), ...escalations, Date.now() + recheckAfterMs);
  }

  function withdraw(): void {
    states = states.map((gate) => (gate.outcome === 'waiting' ? { ...gate, outcome: 'withdrawn' } : gate));
    procedure.refresh();
  }
}

const names = (gates: GateState[]): string => gates.map(({ spec }) => spec.name).join(', ');

const withDecision = (raw: unknown, decision: 'approve' | 'reject'): unknown =>
  typeof raw === 'object' && raw !== null ? { ...raw, decision } : raw;

function describe(raw: unknown): string {
  const { by, decision, reason } = decisionSchema.parse(raw);
  return `${by} ${decision === 'approve' ? 'approved' : 'rejected'}${reason ? ` (${reason})` : ''}`;
}

function describeRefusal({ spec, outcome, rejection }: GateState): string {
  if (rejection)
    return `Gate ${spec.name} was rejected by ${rejection.by}${rejection.reason ? `: ${rejection.reason}` : ''}.`;
  return `Gate ${spec.name} ended ${outcome}: nobody of ${spec.roles.join(' or ')} decided in time. Start again when they can.`;
}
