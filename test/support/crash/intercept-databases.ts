// The part of the interception (intercept.ts) that sees PostgreSQL: statements of the client library, whatever connection
// they go by, and the server's own tools, which the worker starts as processes.
import child_process from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import pg from 'pg';
import { Changes } from './sql.ts';

/** Called right before a change is sent, and when it has come to its end: `true` when the server did it. */
export interface Watch {
  begin(of: object, method: string, what: string): void;
  end(of: object, done: boolean): void;
}

type Send = (this: pg.Client, ...given: unknown[]) => unknown;
type Callback = (error: Error | null, result: unknown) => void;

/** Watches every statement that changes something; a transaction at its COMMIT. */
export function watchStatements(watch: Watch): void {
  const sessions = new WeakMap<object, Changes>();
  const prototype = pg.Client.prototype as unknown as { query: Send };
  const send = prototype.query;
  prototype.query = function (this: pg.Client, ...given) {
    const [first] = given;
    const text = typeof first === 'string' ? first : (first as { text?: string } | undefined)?.text;
    if (text === undefined) return send.apply(this, given);
    const changes = sessions.get(this) ?? new Changes();
    sessions.set(this, changes);
    const change = changes.next(text);
    if (change === undefined) return send.apply(this, given);

    const call = {};
    watch.begin(call, 'SQL', change);
    const last = given.at(-1);
    if (typeof last === 'function') {
      const answered: Callback = (error, result) => {
        watch.end(call, error === null || error === undefined);
        (last as Callback)(error, result);
      };
      return send.apply(this, [...given.slice(0, -1), answered]);
    }
    return (send.apply(this, given) as Promise<unknown>).then(
      (result) => {
        watch.end(call, true);
        return result;
      },
      (error: unknown) => {
        watch.end(call, false);
        throw error;
      },
    );
  };
}

/** Tools that write into a database: pg_dump only reads. */
const WRITING = new Set(['pg_restore', 'pg_amcheck']);

/** Watches the tools that write; each is a change as a whole. */
export function watchTools(watch: Watch): void {
  const { spawn } = child_process;
  const watched = (command: string, args: string[], options: child_process.SpawnOptions) => {
    const name = basename(command);
    if (!WRITING.has(name)) return spawn(command, args, options);
    const call = {};
    watch.begin(call, 'RUN', name);
    const child = spawn(command, args, options);
    child.once('close', (code) => watch.end(call, code === 0));
    return child;
  };
  child_process.spawn = watched as typeof spawn;
  syncBuiltinESMExports();
}
