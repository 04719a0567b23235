import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PollRequest } from '../../activities/actions.ts';
import type { Watched } from '../../src/domain/runbook/hold.ts';
import { createActionBench } from '../support/action-bench.ts';

const bench = createActionBench();
/** What the application answers, request by request; the last one repeats. */
let answers: number[];
let asked: number;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(answers[Math.min(asked++, answers.length - 1)]!).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const request = (answered: number[], over: Partial<PollRequest> = {}) => {
  answers = answered;
  asked = 0;
  return {
    action: 'probeUrl',
    parameters: { url },
    is: 'output.ok && output.status == parameters.status',
    scope: { parameters: { fields: { status: 'int' as const } }, output: 'dyn' as const },
    values: { parameters: { status: 200 } },
    everyMs: 5,
    withinMs: 86_400_000,
    holdsForMs: 0,
    ...over,
  };
};

test('looks again until the application answers as it should', async () => {
  expect(await bench.poll(request([503, 500, 200]))).toMatchObject({ held: true, looks: 3, output: { status: 200 } });
  expect(asked).toBe(3);
});

test('ends at its deadline with what it saw last', async () => {
  const { held, output } = await bench.poll(request([503], { withinMs: -1 }));
  expect({ held, output }).toMatchObject({ held: false, output: { ok: false, status: 503 } });
});

test('begins the hold time anew after a break', async () => {
  const seen: Watched[] = [];
  const answered = [200, 503, 200];
  await bench.poll(request(answered, { holdsForMs: 1 }), { onHeartbeat: (state) => seen.push(state as Watched) });
  const states = seen.filter(({ looks }, index) => seen[index - 1]?.looks !== looks);
  expect(states[1]).not.toHaveProperty('trueSince');
  expect(states[2]!.trueSince).toBeGreaterThanOrEqual(states[1]!.lookedAt!);
});

test('goes on in another process with the time that it had held', async () => {
  const now = Date.now();
  const former: Watched = { looks: 7, lookedAt: now, trueSince: now - 3_600_000 };
  expect(await bench.poll(request([200], { holdsForMs: 3_600_000 }), { former })).toMatchObject({
    held: true,
    looks: 8,
  });
});

test('is stopped by wrong parameters at once', async () => {
  await expect(bench.poll(request([200], { parameters: { url: 'nowhere' } }))).rejects.toMatchObject({
    type: 'InvalidInput',
  });
});
