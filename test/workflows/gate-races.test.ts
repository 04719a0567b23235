import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { DecisionResult, GateSpec, GateView } from '../../src/contracts/gates.ts';
import { gateCode } from '../../src/domain/gate.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import type { GatedInput, GatedResult } from '../support/workflows/gated.ts';

// Approvals and rejections that race the expiry of their gates, on a real server in real time. Which one wins is left to
// chance; that exactly one does, and that everybody is told the same, is not.
const RACES = 500;
/** One after the other in one procedure: that of a gate costs a workflow task or two, a new procedure ten times as much. */
const ROUNDS = 10;
const SIDE_BY_SIDE = RACES / ROUNDS;
const EXPIRES_AFTER_MS = 1_500;
/** Decisions are sent so long before and after the expiry. */
const AROUND_MS = 150;

const DIGEST = 'sha256:0123456789abcdef';
const SPEC: GateSpec = {
  ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 2, fourEyes: true },
  expiresAfterMs: EXPIRES_AFTER_MS,
};
const PEOPLE = ['ana', 'bea', 'cleo', 'kim'].map((name) => ({ name, roles: ['lead'] }));

let temporal: TestTemporal;
beforeAll(async () => {
  temporal = await startLocalServer({
    workflows: 'test/support/workflows/gated.ts',
    activities: () => ({ notify: async () => ({ delivered: [], failed: [] }) }),
  });
}, 120_000);
afterAll(() => temporal?.stop());

type Handle = WorkflowHandleWithStartDetails;
interface Race {
  gate: GateView;
  answers: (DecisionResult & { by: string; decision: string })[];
}

/** How long a decision is underway to its procedure, lately: on a busy machine it would come too late always. Milliseconds. */
let underway = 0;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** Gates of one procedure that expire, one after the other, while people decide them; and what it made of each. */
async function racesOf(number: number): Promise<{ races: Race[]; result: GatedResult }> {
  const { client, taskQueue } = temporal;
  const rounds = Array.from({ length: ROUNDS }, () => [SPEC]);
  const input: GatedInput = { rounds, people: PEOPLE, requestedBy: 'kim', digest: DIGEST, lingers: true };
  const workflowId = `races-${number}`;
  const handle: Handle = await client.workflow.start('gated', { taskQueue, workflowId, args: [input] });
  const races: Race[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    races.push(await race(handle, gateCode(handle.firstExecutionRunId, DIGEST, round), number * ROUNDS + round));
    await handle.signal('proceed');
  }
  return { races, result: (await handle.result()) as GatedResult };
}

/** A gate that two people approve as it expires; in every third race a third one rejects, or one takes the approval back. */
async function race(handle: Handle, code: string, number: number): Promise<Race> {
  const gateOfThisRound = async (): Promise<GateView> => {
    for (;;) {
      const [gate] = await handle.query<GateView[]>('gates');
      if (gate?.code === code) return gate;
      await sleep(20);
    }
  };
  const expiresAt = Date.parse((await gateOfThisRound()).expiresAt);
  // Instants of arrival that differ by race, now one of them first, now the other.
  const around = (salt: number): number => expiresAt - AROUND_MS + ((number * salt) % (2 * AROUND_MS)) - underway;
  const say = async (by: string, decision: string, at: number): Promise<Race['answers'][number]> => {
    await sleep(at - Date.now());
    const message = { gate: 'lead', decision, by, code };
    const sent = Date.now();
    const answer = await handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [message] });
    underway += ((Date.now() - sent) / 2 - underway) / 20;
    return { by, decision, ...answer };
  };
  const third = [
    [],
    [{ by: 'cleo', decision: 'reject', at: around(61) }],
    [{ by: 'ana', decision: 'retract', at: around(43) + 5 }],
  ][number % 3]!;
  const answers = await Promise.all([
    say('ana', 'approve', around(37)),
    say('bea', 'approve', around(53)),
    ...third.map(({ by, decision, at }) => say(by, decision, at)),
  ]);
  // The race is over: the gate expires, if nothing else came of it. A busy server may be late to say so.
  for (;;) {
    const gate = await gateOfThisRound();
    if (gate.outcome !== 'waiting') return { gate, answers };
    await sleep(20);
  }
}

test(`${RACES} approvals that race the expiry of their gate: one outcome each, and everybody is told it`, async () => {
  const procedures = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, number) => racesOf(number)));
  // The procedures went where their gates ended.
  for (const { races, result } of procedures) expect(result.outcomes).toEqual(races.map(({ gate }) => gate.outcome));

  const races = procedures.flatMap((procedure) => procedure.races);
  for (const { gate, answers } of races) {
    // What was answered as recorded, and nothing else, is in the record.
    const recorded = answers.filter((answer) => answer.code === 'recorded');
    const inRecord = gate.decisions!.map(({ by, decision }) => `${by} ${decision}`).sort();
    expect(recorded.map(({ by, decision }) => `${by} ${decision}`).sort()).toEqual(inRecord);
    // Nobody was told another outcome than the one the gate has.
    const told = answers.flatMap((answer) => (answer.gate && answer.gate.outcome !== 'waiting' ? [answer.gate.outcome] : [])); // prettier-ignore
    expect(new Set([...told, gate.outcome]).size).toBe(1);
    // Too late is answered as such, with the outcome.
    for (const answer of answers.filter(({ code }) => code !== 'recorded'))
      expect([answer.code, answer.gate?.outcome]).toEqual(
        answer.code === 'not-approved'
          ? ['not-approved', 'waiting']
          : [gate.outcome === 'expired' ? 'expired' : 'already-decided', gate.outcome],
      );
    expect(gate.outcome === 'approved').toBe(gate.approvals.length === 2);
  }
  // It was a race: each side won some.
  expect(races).toHaveLength(RACES);
  expect([...new Set(races.map(({ gate }) => gate.outcome))].sort()).toEqual(['approved', 'expired', 'rejected']);
}, 180_000);
