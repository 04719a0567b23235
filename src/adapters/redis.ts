import type { RedisServer } from '../contracts/redis.ts';
import { failure } from './failure.ts';

/** What Redis answers: RESP2, without the types of RESP3. */
export type RedisReply = string | number | null | RedisReply[];

/** One connection to one server. */
export interface RedisSession {
  /** One command. @throws Forbidden, InvalidInput, Unavailable */
  send(...command: string[]): Promise<RedisReply>;
  /** False once its connection ended, whoever ended it. */
  isOpen(): boolean;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
const COMMAND_MS = 8_000;

/**
 * Connects once and never again by itself: Temporal retries, visibly.
 * @param password resolved from the reference of the catalog
 * @throws Forbidden, Unavailable
 */
export async function openRedis(server: RedisServer, password: string | undefined): Promise<RedisSession> {
  // Loaded by the first step that needs it: few runbooks have one, and every worker would start later.
  const { createClient, ErrorReply } = await import('@redis/client');
  const { host, port, user, tls } = server;
  const where = `Redis at ${host}:${port}`;
  const common = {
    host,
    port,
    connectTimeout: CONNECT_MS,
    socketTimeout: COMMAND_MS,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    RESP: 2,
    name: 'windlass',
    socket: tls ? { ...common, tls: true } : common,
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
  });
  // Without a listener a broken connection would end the process; the command under way says what happened.
  client.on('error', () => undefined);
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw redisFailure(error, error instanceof ErrorReply, where);
    }
  };
  await named(() => client.connect());
  return {
    send: (...command) => named(() => client.sendCommand<RedisReply>(command)),
    isOpen: () => client.isReady,
    async close() {
      if (client.isOpen) client.destroy();
    },
  };
}

/** Replies that ask for patience; https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const PASSING = /^(LOADING|BUSY|TRYAGAIN|MASTERDOWN|CLUSTERDOWN|MISCONF|OOM)\b/;

function redisFailure(error: unknown, isReply: boolean, where: string) {
  const { message, code } = error as Error & { code?: string };
  if (!isReply)
    return failure('Unavailable', `${where} does not answer: ${[code, message].filter(Boolean).join(': ')}`);
  if (/^(NOAUTH|WRONGPASS|NOPERM)\b/.test(message))
    return failure('Forbidden', `${where} refuses the worker's credentials: ${message}`);
  return failure(PASSING.test(message) ? 'Unavailable' : 'InvalidInput', `${where} says: ${message}`);
}
