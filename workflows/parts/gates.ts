import { condition, isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { GateOutcome, GateSpec } from '../../src/contracts/gates.ts';
import type { IdentityPolicy } from '../../src/contracts/identity.ts';
import { gateCode, openGate } from '../../src/domain/gate.ts';
import { rolesOfGate, type Person } from '../../src/domain/gate-rights.ts';
import { expireGate, isRefused, withdrawGate, type GateState } from '../../src/domain/gate-state.ts';
import { describeRefusal, summarizeGate } from '../../src/domain/gate-view.ts';
import { detailOf, failure } from './failure.ts';
import { takeDecisions, type GateBoard } from './gate-messages.ts';
import { callOut } from './gate-calls.ts';
import type { Procedure } from './procedure.ts';

/** Beyond this the interval between checks does not grow. */
const RAREST_RECHECK_MS = 30 * 60_000;

export interface GateOptions {
  /** What an approval approves: digest of intent and preconditions. */
  digest: string;
  people: Person[];
  requestedBy: string;
  /** Whose word decides gates that do not say it themselves; absent, as in histories that do not know it: declared. */
  identity: IdentityPolicy | undefined;
  /** Repeats the checks while people think; what it returns is shown beside the gates. */
  recheck?: { everyMs: number; run: () => Promise<string[]> };
}

export interface Gates {
  /**
   * Opens the gates together and waits until every one is passed.
   * @throws ApplicationFailure `GateNotApproved` when one is rejected or withdrawn, or expires; `outcomeOf` says which.
   */
  pass(specs: GateSpec[], options: GateOptions): Promise<void>;
  /** Who approved which gate, in words. */
  summary(): string;
}

/** How the gate ended for which a `GateNotApproved` was thrown. */
export function outcomeOf(error: unknown): GateOutcome | undefined {
  return (detailOf(error) as { outcome?: GateOutcome } | undefined)?.outcome;
}

/** Registers the gate messages; called before the first `await`. */
export function useGates(procedure: Procedure): Gates {
  const board: GateBoard = { states: [] };
  let rounds = 0;
  const reception = takeDecisions(procedure, board);

  const waiting = (): GateState[] => board.states.filter(({ outcome }) => outcome === 'waiting');
  const settled = (): boolean => waiting().length === 0 || board.states.some(isRefused);
  const approvals = (): string => board.states.map((gate) => gate.approvals.length).join();

  return {
    async pass(specs, given) {
      if (specs.length === 0) return;
      board.asked = { people: given.people, requestedBy: given.requestedBy };
      const now = Date.now();
      const fixedVotes = !patched('gate-change-of-mind');
      const code = gateCode(workflowInfo().runId, given.digest, fixedVotes ? 1 : ++rounds);
      const identity = given.identity ? { identity: given.identity } : {};
      board.states = specs.map((spec) => openGate({ ...identity, ...spec }, code, now, { fixedVotes }));
      procedure.tell(
        `Waiting for ${specs.map((spec) => `${spec.name} (${spec.roles.join(' or ')})`).join(', ')}`,
        specs.flatMap((spec) => spec.notify ?? []),
        board.states,
      );
      try {
        await waitUntilSettled(given);
      } catch (error) {
        if (isCancellation(error)) withdraw();
        throw error;
      } finally {
        procedure.awaitRoles([]);
        procedure.show('checks', '');
      }
      const refusal = board.states.find(isRefused);
      if (!refusal) return;
      withdraw();
      throw failure('GateNotApproved', describeRefusal(refusal), { gate: refusal.spec.name, outcome: refusal.outcome });
    },
    summary: () => board.states.map(summarizeGate).join('; '),
  };

  async function waitUntilSettled(given: GateOptions): Promise<void> {
    const calls = callOut(procedure);
    // Checks become rarer the longer people think: at a fixed interval of seconds a day of waiting would fill the history.
    let recheckAfterMs = given.recheck?.everyMs ?? Infinity;
    for (;;) {
      // What came before the end of a gate counts, however long its verification takes.
      if (reception.busy) await condition(() => !reception.busy);
      const now = Date.now();
      board.states = board.states.map((gate) => expireGate(gate, now));
      if (settled()) return;
      const wakeAt = calls.due(waiting(), now);
      procedure.awaitRoles([...new Set(waiting().flatMap(rolesOfGate))]);
      const before = approvals();
      await condition(
        () => settled() || before !== approvals(),
        Math.max(1, Math.min(wakeAt, now + recheckAfterMs) - now),
        { summary: `Wait for ${waiting().map(({ spec }) => spec.name).join(', ')}` }, // prettier-ignore
      );
      if (!given.recheck || settled()) continue;
      procedure.show('checks', (await given.recheck.run()).join('; '));
      recheckAfterMs = Math.max(given.recheck.everyMs, Math.min(2 * recheckAfterMs, RAREST_RECHECK_MS));
    }
  }

  function withdraw(): void {
    board.states = board.states.map(withdrawGate);
    procedure.refresh();
  }
}
