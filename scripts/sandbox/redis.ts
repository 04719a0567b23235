import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createClient } from '@redis/client';
import { inState } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';

export const redis = { host: '127.0.0.1', port: ports.redis, passwordFile: () => inState('redis.password') };

/** Starts Redis, in memory only; returns when it answers to its password. */
export async function startRedis(program: string): Promise<void> {
  mkdirSync(inState('redis'), { recursive: true });
  if (!existsSync(redis.passwordFile())) {
    writeFileSync(redis.passwordFile(), randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  const password = readFileSync(redis.passwordFile(), 'utf8');
  const settings = [
    `bind ${redis.host}`,
    `port ${redis.port}`,
    `requirepass ${password}`,
    `dir ${inState('redis')}`,
    'save ""',
    'appendonly no',
    'daemonize no',
  ];
  // By file: arguments are seen by every user of the machine.
  writeFileSync(inState('redis.conf'), `${settings.join('\n')}\n`, { mode: 0o600 });
  start({ name: 'redis', command: program, args: [inState('redis.conf')] });
  await ready('redis', () => answers(password));
}

/** Whether it answers. */
export async function answers(password: string): Promise<boolean> {
  const { host, port } = redis;
  const client = createClient({ socket: { host, port, reconnectStrategy: false, connectTimeout: 2000 }, password });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.ping()) === 'PONG';
  } finally {
    client.destroy();
  }
}
