import type { ActionContext, ActionPlace } from '../src/actions/action.ts';
import { failure } from '../src/adapters/failure.ts';
import { openPostgres, type PostgresSession } from '../src/adapters/postgres.ts';
import { openRedis, type RedisSession } from '../src/adapters/redis.ts';
import type { SecretResolver } from '../src/adapters/secrets.ts';

/** Connections of one attempt of an action: made when first asked for, one per server, closed with the attempt. */
export function createActionSessions(
  secrets: SecretResolver,
  { environment: { system, environment }, databases = {}, redis = {} }: ActionPlace,
  signal: AbortSignal,
): Pick<ActionContext, 'postgres' | 'redis'> & { close: () => Promise<void> } {
  const databaseSessions = new Map<string, Promise<PostgresSession>>();
  const redisSessions = new Map<string, Promise<RedisSession>>();

  return {
    postgres: (name) =>
      once(databaseSessions, name, async () => {
        const { server, entry } = serverOf('database', databases, name);
        const password = await secrets.resolve(server.password);
        return openPostgres({ server, database: entry.name, password, signal });
      }),

    redis: (name) =>
      once(redisSessions, name, async () => {
        const { server } = serverOf('redis', redis, name);
        return openRedis(server, server.password && (await secrets.resolve(server.password)));
      }),

    async close() {
      const open = await Promise.allSettled<PostgresSession | RedisSession>([
        ...databaseSessions.values(),
        ...redisSessions.values(),
      ]);
      for (const each of open) if (each.status === 'fulfilled') await each.value.close();
    },
  };

  function serverOf<Server, Entry>(
    what: string,
    entries: Record<string, Entry & { servers: Record<string, Server> }>,
    name: string,
  ): { entry: Entry; server: Server } {
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (!entry) throw failure('NotFound', `system ${system} has no ${what} ${name} in its catalog.`);
    const server = Object.hasOwn(entry.servers, environment) ? entry.servers[environment] : undefined;
    if (server !== undefined) return { entry, server };
    throw failure('NotFound', `${what} ${name} of system ${system} names no server in environment ${environment}.`);
  }
}

/** One that could not be opened, or ended since, is opened anew: a step may look again and again in one attempt. */
function once<T extends PostgresSession | RedisSession>(
  open: Map<string, Promise<T>>,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  const former = open.get(name);
  const next = (async () => {
    const known = await former?.catch(() => undefined);
    if (known?.isOpen()) return known;
    await known?.close();
    return make();
  })();
  open.set(name, next);
  return next;
}
