import { randomBytes } from 'node:crypto';
import { createActionBench } from '../support/action-bench.ts';
import { connectRedis, testRedis } from '../support/test-redis.ts';

// Each effect is read by a client of the test's own.
const { catalog, env } = testRedis();
const bench = createActionBench({ redis: { cache: catalog }, env });
const called = { redis: 'cache' };
const prefix = `test-${randomBytes(4).toString('hex')}`;
let client: Awaited<ReturnType<typeof connectRedis>>;
let former: Record<string, string>;

beforeAll(async () => {
  client = await connectRedis();
  former = { ...(await client.configGet('maxmemory')), ...(await client.configGet('maxmemory-policy')) };
});
afterAll(async () => {
  await client?.configSet(former);
  client?.destroy();
});

const fill = async (names: string[]): Promise<void> =>
  void (await client.mSet(names.map((name): [string, string] => [name, 'value'])));
const there = async (names: string[]): Promise<number> => client.exists(names);

describe('pingRedis', () => {
  test('tells version and role', async () => {
    const { redis_version: version } = Object.fromEntries(
      (await client.info('server')).split('\r\n').map((line) => line.split(':') as [string, string]),
    );
    expect(await bench.run('pingRedis', called)).toEqual({
      ok: true,
      faults: [],
      latencyMs: expect.any(Number),
      version,
      role: 'master',
    });
  });

  test('one that does not answer is a fault, and fails the step if it shall', async () => {
    const away = createActionBench({
      redis: { cache: { servers: { local: { host: '127.0.0.1', port: 1, tls: false } } } },
    });
    expect(await away.run('pingRedis', called)).toMatchObject({
      ok: false,
      faults: [expect.stringMatching(/^Redis at 127.0.0.1:1 does not answer: .*ECONNREFUSED/)],
    });
    await expect(away.run('pingRedis', { ...called, orFail: true })).rejects.toMatchObject({ type: 'ChecksFailed' });
  });

  test('a wrong password is Forbidden and is not in the message', async () => {
    const wrong = createActionBench({ redis: { cache: catalog }, env: { TEST_REDIS_PASSWORD: 'not-the-password' } });
    const error = await wrong.run('pingRedis', called).catch((each: unknown) => each);
    expect(error).toMatchObject({ type: 'Forbidden' });
    expect((error as Error).message).not.toContain('not-the-password');
  });
});

test('readRedisMemory tells use, limit and policy as the server has them', async () => {
  await client.configSet({ maxmemory: '104857600', 'maxmemory-policy': 'volatile-ttl' });
  expect(await bench.run('readRedisMemory', called)).toEqual({
    usedBytes: expect.any(Number),
    maxBytes: 104_857_600,
    usedPercent: expect.any(Number),
    policy: 'volatile-ttl',
    fragmentation: expect.any(Number),
    evictedKeys: expect.any(Number),
  });
});

describe('deleteKeys', () => {
  const names = Array.from({ length: 2_500 }, (_, index) => `${prefix}:session*:${index}`);
  const others = [`${prefix}:sessionX:1`, `${prefix}:other`];
  const sessions = { ...called, prefix: `${prefix}:session*:` };

  test('deletes what begins with the prefix, taken as it is, and nothing else', async () => {
    await fill([...names, ...others]);
    const { lines } = await bench.plan('deleteKeys', sessions);
    expect(lines).toEqual([`2500 keys of cache that begin with ${prefix}:session*: are deleted`]);
    expect(await there(names)).toBe(2_500);
    expect(await bench.run('deleteKeys', sessions, { key: 'delete' })).toEqual({ deleted: 2_500 });
    expect([await there(names), await there(others)]).toEqual([0, 2]);
    expect(await bench.run('deleteKeys', sessions, { key: 'delete' })).toEqual({ deleted: 0 });
    expect((await bench.plan('deleteKeys', sessions)).lines).toEqual([]);
  });

  test('goes on where an attempt that died was, and misses nothing', async () => {
    await fill(names);
    const beats: { cursor: string; deleted: number }[] = [];
    const onHeartbeat = (details: unknown) => beats.push(details as (typeof beats)[number]);
    await bench.run('deleteKeys', sessions, { onHeartbeat });
    await fill(names);
    const half = beats[Math.floor(beats.length / 2)]!;
    const { deleted } = await bench.run('deleteKeys', sessions, { former: half });
    expect(await there(names)).toBe(0);
    expect(deleted).toBe(half.deleted + 2_500);
  });

  test('an empty prefix, which means everything, is refused', async () => {
    await fill(others);
    await expect(bench.run('deleteKeys', { ...called, prefix: '' })).rejects.toMatchObject({ type: 'InvalidInput' });
    expect(await there(others)).toBe(2);
    await client.unlink(others);
  });
});

test('setRedisPolicy sets limit and policy once, and its undo brings back what was', async () => {
  await client.configSet({ maxmemory: '104857600', 'maxmemory-policy': 'noeviction' });
  const read = async () => ({
    ...(await client.configGet('maxmemory')),
    ...(await client.configGet('maxmemory-policy')),
  });
  const wanted = { ...called, maxBytes: 209_715_200, policy: 'allkeys-lru' };
  const { lines, undo } = await bench.plan('setRedisPolicy', wanted);
  expect(lines).toEqual(['cache: maxmemory 104857600 → 209715200', 'cache: maxmemory-policy noeviction → allkeys-lru']);
  expect(await bench.run('setRedisPolicy', wanted, { key: 'policy' })).toEqual({ changed: true, changes: lines });
  expect(await read()).toEqual({ maxmemory: '209715200', 'maxmemory-policy': 'allkeys-lru' });
  expect(await bench.run('setRedisPolicy', wanted, { key: 'policy' })).toEqual({ changed: false, changes: [] });
  await bench.run(undo!.action, undo!.with);
  expect(await read()).toEqual({ maxmemory: '104857600', 'maxmemory-policy': 'noeviction' });
});
