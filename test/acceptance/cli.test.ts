import { jest } from '@jest/globals';
import { createServer, connect, type Socket } from 'node:net';
import { slice } from '../support/live.ts';
import { standIn, standInActivities, type StandIn } from '../support/stand-in-activities.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import { windlass, type CliCall } from '../support/cli.ts';

// The CLI against a real server and the real procedures; only the cluster is kept in memory.
jest.setTimeout(60_000);

let temporal: TestTemporal;
let world: StandIn;
let address: string;

const quickSoak = (): StandIn['slice'] => {
  const { release } = slice().spec;
  return slice({ release: { ...release, drain: 100, soak: { duration: 500, interval: 200, warmUp: 0 } } });
};

beforeAll(async () => {
  world = standIn();
  // Tests exchange the world between procedures: the activities look it up at each call.
  const names = Object.keys(standInActivities(world));
  const activities = Object.fromEntries(
    names.map((name) => [name, (argument: never) => standInActivities(world)[name]!(argument)]),
  );
  temporal = await startLocalServer({ activities: () => activities });
  address = temporal.env.address;
}, 180_000);
afterAll(() => temporal?.stop());
beforeEach(() => {
  world = standIn({ slice: quickSoak() });
});
afterEach(async () => {
  for await (const { workflowId } of temporal.client.workflow.list({ query: "ExecutionStatus = 'Running'" }))
    await temporal.client.workflow
      .getHandle(workflowId)
      .terminate('test is over')
      .catch(() => undefined);
});

const IMAGE = 'registry.example.com/shop:v2';
const ID = 'deploy/test/local/shop-v2';
const settings = (): Record<string, string> => ({
  TEMPORAL_ADDRESS: address,
  WINDLASS_TASK_QUEUE: temporal.taskQueue,
  WINDLASS_USER: 'kim',
});
const cli = (args: string[], { env, ...call }: CliCall = {}) =>
  windlass(args, { env: { ...settings(), ...env }, ...call });
const json = async (args: string[]) => {
  const { code, out } = await cli([...args, '--json']);
  return { code, ...JSON.parse(out) };
};

/** Asks until the condition holds; a condition that never does fails with what was read last. */
async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`it did not come; last read: ${JSON.stringify(value).slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
const untilGateWaits = () =>
  until(
    () => json(['status', ID]),
    ({ gates }) => gates?.[0]?.outcome === 'waiting',
  );
const deploy = (...more: string[]) => cli(['deploy', 'test', 'local', 'shop', IMAGE, ...more]);

describe('a release from the command line', () => {
  test('is planned without being started, and its plan is not listed as an operation', async () => {
    expect(await cli(['plan', 'deploy', 'test', 'local', 'shop', IMAGE])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/from: +v1[^]*to: +v2[^]*Gates before anything changes:\n +lead: approval/),
    });
    expect(world.calls).not.toContain('createColor');
    expect((await json(['list', '--all'])).runs.map(({ id }: { id: string }) => id)).not.toContainEqual(
      expect.stringMatching(/^plan/),
    );
  });

  test('is refused by name in its plan, with exit code 1', async () => {
    world.service.deployments[0]!.hasHostPort = true;
    expect(await cli(['plan', 'deploy', 'test', 'local', 'shop', IMAGE])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^REFUSED /),
    });
  });

  test('starts at once, says what to type, waits for the person it names, and ends when that person approves', async () => {
    const started = await deploy();
    expect(started).toMatchObject({ code: 0, out: expect.stringContaining(`windlass approve ${ID}`) });
    await untilGateWaits();

    const mine = await cli(['status', '--as', 'ana'], { env: { WINDLASS_ROLES: 'lead' } });
    expect(mine.out).toMatch(/Waits for ana \(lead\):\n +deploy\/test\/local\/shop-v2 +waits for lead/);
    const shown = await cli(['status', ID]);
    expect(shown.out).toMatch(/waits for: +lead[^]*back by hand:\n +kubectl .*patch/);

    const refused = await json(['approve', ID, '--as', 'kim']);
    expect(refused).toMatchObject({
      code: 1,
      error: { code: 'refused', message: expect.stringContaining('unknown-person') },
    });
    const approved = await cli(['approve', ID, '--as', 'ana']);
    expect(approved).toMatchObject({ code: 0, out: expect.stringMatching(/digest: +sha256[^]*Gate lead is approved/) });

    const followed = await cli(['status', ID, '--follow']);
    expect(followed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Soak v2[^]*completed[^]*outcome: +released/),
    });
    expect(world.service.selector).toEqual({ app: 'shop', version: 'green' });
  });

  test('ends with exit code 1 and its reason when its gate is rejected while somebody waits for it', async () => {
    const waiting = deploy('--wait');
    await untilGateWaits();
    expect(await cli(['reject', ID, '--as', 'ana', '--reason', 'not scanned'])).toMatchObject({ code: 0 });
    expect(await waiting).toMatchObject({ code: 1, out: expect.stringMatching(/GateNotApproved.*not scanned/) });
    expect(world.calls).not.toContain('createColor');
  });

  test('is not started twice at once: the second is told where the first is', async () => {
    await deploy();
    expect(await json(['deploy', 'test', 'local', 'shop', IMAGE])).toMatchObject({
      code: 1,
      error: { code: 'already-running', hint: expect.stringContaining(`windlass status ${ID}`) },
    });
  });

  test('is shown whole after its end, decisions included, from the history alone', async () => {
    await deploy();
    await untilGateWaits();
    await cli(['approve', ID, '--as', 'ana', '--reason', 'looks good']);
    await until(
      () => json(['status', ID]),
      ({ run }) => run.status === 'completed',
    );
    const shown = await json(['show', ID]);
    expect(shown.story).toMatchObject({
      input: { image: IMAGE, requestedBy: 'kim' },
      plan: { to: { version: 'v2' } },
      ending: { ok: true, result: { outcome: 'released' } },
    });
    expect(shown.story.messages).toContainEqual(
      expect.objectContaining({
        name: 'decide',
        payload: expect.objectContaining({ by: 'ana', reason: 'looks good' }),
        answer: expect.objectContaining({ code: 'recorded' }),
      }),
    );
    expect((await cli(['show', ID])).out).toMatch(/decide by ana: approve lead \(looks good\) → recorded/);
  });

  test('leaves its old color to a retirement, which keep-color ends; told of the release, it names the retirement', async () => {
    await deploy();
    await untilGateWaits();
    await cli(['approve', ID, '--as', 'ana']);
    const { ending } = await until(
      () => json(['status', ID]),
      ({ run }) => run.status === 'completed',
    );
    const retirement = ending.result.previous.retireWorkflowId;
    expect(await json(['keep-color', ID])).toMatchObject({
      code: 1,
      error: { code: 'refused', hint: expect.stringContaining(`windlass keep-color ${retirement}`) },
    });
    expect(await cli(['keep-color', retirement, '--reason', 'audit'])).toMatchObject({ code: 0 });
    const kept = await until(
      () => json(['status', retirement]),
      ({ run }) => run.status !== 'running',
    );
    expect(kept.ending).toMatchObject({ ok: true, result: { outcome: 'kept' } });
    expect(world.calls).not.toContain('removeColor');
  });

  test('asks at a terminal before it sends a decision, and sends nothing when the answer is no', async () => {
    await deploy();
    await untilGateWaits();
    const terminal = { columns: 100, rows: 40 };
    const declined = await cli(['approve', ID, '--as', 'ana'], { terminal, answer: 'n' });
    expect(declined).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was sent') });
    expect((await json(['status', ID])).gates[0]).toMatchObject({ outcome: 'waiting', approvals: [] });
  });

  test('does not count an approval of another plan', async () => {
    await deploy();
    await untilGateWaits();
    const { code, error } = await json(['approve', ID, '--as', 'ana', '--code', '00000000-00000000']);
    expect({ code, error }).toMatchObject({ code: 1, error: { message: expect.stringContaining('wrong-code') } });
  });

  test('is held, resumed and aborted, and each is in its timeline', async () => {
    await deploy();
    await untilGateWaits();
    await cli(['hold', ID, '--reason', 'database team']);
    expect((await cli(['status', ID])).out).toMatch(/on hold: +kim: database team; go on: windlass resume/);
    await cli(['resume', ID]);
    expect((await json(['status', ID])).progress.held).toBeUndefined();
    await cli(['abort', ID, '--reason', 'wrong image']);
    const ended = await until(
      () => json(['status', ID]),
      ({ run }) => run.status !== 'running',
    );
    expect(ended.ending).toMatchObject({ ok: false, type: 'Aborted', message: expect.stringContaining('wrong image') });
    expect(await json(['abort', ID])).toMatchObject({ code: 1, error: { code: 'not-running' } });
  });
});

describe('a release that is stuck', () => {
  const untilRetries = (attempt: number) =>
    until(
      () => json(['why', ID]),
      ({ activities }) => activities[0]?.state === 'waits-to-retry' && activities[0].attempt >= attempt,
    );

  test('says what failed, when it is tried again and what to type; retry-now tries at once', async () => {
    world.replace['loadSlice'] = () => {
      throw new Error('connection refused to the catalog');
    };
    await deploy();
    await untilRetries(4);
    const { out } = await cli(['why', ID]);
    expect(out).toMatch(/loadSlice[^]*connection refused to the catalog[^]*next try: +in[^]*windlass retry-now/);
    expect(await cli(['retry-now', ID])).toMatchObject({
      code: 0,
      out: expect.stringContaining('loadSlice: tried now'),
    });
    // Attempts count from one again, which only the reset does.
    await until(
      () => json(['why', ID]),
      ({ activities }) => activities[0]?.attempt < 4,
    );
  });

  test('goes on after an operator paused its activity, when retry-now is typed', async () => {
    let broken = true;
    world.replace['loadSlice'] = () => {
      if (broken) throw new Error('broken');
      return world.slice;
    };
    await deploy();
    await untilRetries(2);
    const { activities } = await json(['why', ID]);
    await temporal.env.connection.workflowService.pauseActivity({
      namespace: 'default',
      execution: { workflowId: ID },
      id: activities[0].id,
    });
    await until(
      () => json(['why', ID]),
      (view) => view.activities[0]?.state === 'paused',
    );
    broken = false;
    await cli(['retry-now', ID]);
    await untilGateWaits();
  });

  test('is rescued only when it is stuck: otherwise the order is refused in words', async () => {
    await deploy();
    await untilGateWaits();
    expect(await json(['rescue', ID, 'retry', '--reason', 'quota raised'])).toMatchObject({
      code: 1,
      error: { code: 'refused', message: 'No step is stuck; nothing was changed.' },
    });
  });
});

describe('without a worker', () => {
  const nobody = { WINDLASS_TASK_QUEUE: 'nobody-serves-this' };

  test('a release is kept, and status, list, show and why tell about it from the records', async () => {
    const started = await cli(['deploy', 'test', 'local', 'shop', IMAGE], { env: nobody });
    expect(started).toMatchObject({
      code: 0,
      err: expect.stringContaining('No worker serves task queue nobody-serves-this'),
    });
    const shown = await cli(['status', ID], { env: nobody });
    expect(shown.out).toMatch(/shop v2 to test local[^]*No worker answers: shown from the server's records/);
    expect((await cli(['list'], { env: nobody })).out).toMatch(/deploy\/test\/local\/shop-v2 +running/);
    expect((await cli(['show', ID], { env: nobody })).out).toContain(IMAGE);
    expect((await cli(['why', ID], { env: nobody })).out).toContain('No worker runs. Start one');
  });

  test('an approval says that it needs one, and the signal that is offered is kept in the history', async () => {
    await cli(['deploy', 'test', 'local', 'shop', IMAGE], { env: nobody });
    const refused = await cli(['approve', ID, '--as', 'ana'], { env: nobody });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--signal --code CODE') });
    await cli(['approve', ID, 'lead', '--as', 'ana', '--signal', '--code', 'abc'], { env: nobody });
    expect((await json(['show', ID])).story.messages).toEqual([
      expect.objectContaining({ via: 'signal', name: 'approve', payload: { gate: 'lead', by: 'ana', code: 'abc' } }),
    ]);
  });

  test('a plan is given up in time and leaves nothing running', async () => {
    const { code, err } = await cli(['plan', 'deploy', 'test', 'local', 'shop', IMAGE, '--timeout', '1'], {
      env: nobody,
    });
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('nobody can make the plan') });
    expect((await temporal.client.workflow.count("ExecutionStatus = 'Running'")).count).toBe(0);
  });
});

describe('the connection', () => {
  test('to a server that is not there ends within its time, with what to do', async () => {
    const result = await windlass(['status', '--address', '127.0.0.1:1', '--json']);
    expect({ ...result, out: JSON.parse(result.out) }).toMatchObject({
      code: 1,
      out: { error: { code: 'unreachable', hint: expect.stringContaining('TEMPORAL_ADDRESS') } },
    });
  });

  test('may break while somebody follows: the view says so and goes on', async () => {
    const gateway = await startGateway(address);
    await deploy();
    await untilGateWaits();
    let printed = { out: '', err: '' };
    const following = cli(['status', ID, '--follow'], {
      env: { TEMPORAL_ADDRESS: `127.0.0.1:${gateway.port}` },
      onOutput: (now) => (printed = now),
    });
    const read = async () => printed;
    await until(read, ({ out }) => out.includes('waits for lead'));
    gateway.shut();
    await until(read, ({ err }) => err.includes('does not answer'));
    gateway.open();
    await cli(['approve', ID, '--as', 'ana']);
    expect(await following).toMatchObject({
      code: 0,
      err: expect.stringMatching(/does not answer[^]*answers again/),
      out: expect.stringContaining('released'),
    });
    await gateway.stop();
  });

  test('to a procedure that does not exist names how to find the right one', async () => {
    for (const command of ['status', 'show', 'why', 'approve', 'hold', 'retry-now'])
      expect(await json([command, 'deploy/test/local/nothing'])).toMatchObject({
        code: 1,
        error: { code: 'not-found' },
      });
  });
});

/** A door in front of the server that can be shut: the same as a server that restarts, for those who look through it. */
async function startGateway(target: string) {
  const [host, port] = target.split(':');
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((inside) => {
    if (!isOpen) {
      inside.destroy();
      return;
    }
    const outside = connect(Number(port), host);
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as { port: number }).port,
    shut() {
      isOpen = false;
      cut();
    },
    open: () => void (isOpen = true),
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
