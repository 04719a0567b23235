import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { DecisionResult, GateSpec, GateView } from '../../src/contracts/gates.ts';
import { gateCode } from '../../src/domain/gate.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import type { GatedInput, GatedResult } from '../support/workflows/gated.ts';

// Approvals and rejections that race the expiry of their gates, on a real server in real time. Which one wins is left to
// chance; that exactly one does, and that everybody is told the same, is not.
const RACES = 500;
/** Together: more only wait for each other. */
const SIDE_BY_SIDE = 50;
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
  result: GatedResult;
  gate: GateView;
  answers: (DecisionResult & { by: string; decision: string })[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** One gate that expires while two people approve it and, in every third race, one rejects it or takes the approval back. */
async function race(number: number): Promise<Race> {
  const { client, taskQueue } = temporal;
  const input: GatedInput = { rounds: [[SPEC]], people: PEOPLE, requestedBy: 'kim', digest: DIGEST, lingers: true };
  const handle: Handle = await client.workflow.start('gated', {
    taskQueue,
    workflowId: `race-${number}`,
    args: [input],
  });
  const code = gateCode(handle.firstExecutionRunId, DIGEST);
  const [opened] = await handle.query<GateView[]>('gates');
  const expiresAt = opened ? Date.parse(opened.expiresAt) : Date.now() + EXPIRES_AFTER_MS;
  // Two instants that differ by race, the second before or after the first.
  const around = (salt: number): number => expiresAt - AROUND_MS + ((number * salt) % (2 * AROUND_MS));
  const say = async (by: string, decision: string, at: number): Promise<Race['answers'][number]> => {
    await sleep(at - Date.now());
    const message = { gate: 'lead', decision, by, code };
    const answer = await handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [message] });
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
  // Every race is over now: the gate expired, if nothing else came of it.
  await sleep(expiresAt + 2 * AROUND_MS - Date.now());
  await handle.signal('finish');
  const result = (await handle.result()) as GatedResult;
  const [gate] = await handle.query<GateView[]>('gates');
  return { result, gate: gate!, answers };
}

test(`${RACES} approvals that race the expiry of their gate: one outcome each, and everybody is told it`, async () => {
  const races: Race[] = [];
  for (let first = 0; first < RACES; first += SIDE_BY_SIDE)
    races.push(...(await Promise.all(Array.from({ length: SIDE_BY_SIDE }, (_, index) => race(first + index)))));

  for (const { result, gate, answers } of races) {
    // The procedure went where the gate ended.
    expect(result.outcome).toBe(gate.outcome);
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
  expect([...new Set(races.map(({ result }) => result.outcome))].sort()).toEqual(['approved', 'expired', 'rejected']);
}, 180_000);
