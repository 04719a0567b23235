import { createActionSessions } from '../../activities/action-sessions.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import { connectRedis, testRedis } from '../support/test-redis.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { slice } from '../support/live.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(async () => database?.remove());

function sessions(env: Record<string, string>) {
  const redis = testRedis();
  const secrets = createSecretResolver({ env: Object.assign(env, redis.env) });
  const place = { environment: slice(), databases: { shop: database.catalog }, redis: { cache: redis.catalog } };
  return createActionSessions(secrets, place, new AbortController().signal);
}

test('one connection serves an attempt, and ends with it', async () => {
  const { postgres, close } = sessions({ ...database.env });
  const session = await postgres('shop');
  expect(await postgres('shop')).toBe(session);
  const admin = await database.connect();
  const ours = async () =>
    (
      await admin.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'windlass' AND datname = $1`, [
        database.name,
      ])
    ).rowCount;
  expect(await ours()).toBe(1);
  await close();
  await waitFor('the end of the session', async () => (await ours()) === 0, { timeoutSeconds: 5 });
  await admin.end();
});

test('a connection that somebody ended is made anew', async () => {
  const { postgres, redis, close } = sessions({ ...database.env });
  const admin = await database.connect();
  const session = await postgres('shop');
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'windlass'
                     AND datname = $1`,
    [database.name],
  );
  await waitFor('the end of the session', async () => !session.isOpen(), { timeoutSeconds: 5 });
  expect(await (await postgres('shop')).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);

  const cache = await redis('cache');
  const client = await connectRedis();
  await client.sendCommand(['CLIENT', 'KILL', 'ID', String(await cache.send('CLIENT', 'ID'))]);
  await waitFor('the end of the session', async () => !cache.isOpen(), { timeoutSeconds: 5 });
  expect(await (await redis('cache')).send('PING')).toBe('PONG');
  client.destroy();
  await admin.end();
  await close();
});

test('a connection that could not be made is tried again when it is asked for again', async () => {
  const env: Record<string, string> = {};
  const { postgres, close } = sessions(env);
  await expect(postgres('shop')).rejects.toMatchObject({ type: 'SecretMissing' });
  Object.assign(env, database.env);
  expect(await (await postgres('shop')).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await close();
});
