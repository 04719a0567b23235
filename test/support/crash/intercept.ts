// A worker extension (worker/extensions.ts) that sees every mutating call of the worker and, when ordered, kills the
// process right before one is sent or right after its answer came. Calls are seen where the HTTP clients announce
// them, so a call that no harness knows of is seen too: undici (all copies of it, fetch included) and node:http have
// diagnostics channels. PostgreSQL is seen at its client library and its tools (intercept-databases.ts). What activities
// ask of Temporal goes through the SDK's native core: there, activities are seen.
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { asyncLocalStorage } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import {
  FOLDER_VARIABLE,
  HARNESS_VARIABLE,
  isMutating,
  isRefused,
  keyOf,
  readOrders,
  recordCall,
  strikesDone,
  takeStrike,
  type CallLine,
  type Side,
} from './calls.ts';
import { watchStatements, watchTools } from './intercept-databases.ts';

const folder = process.env[FOLDER_VARIABLE];
if (!folder) throw new Error(`expected ${FOLDER_VARIABLE}`);

/** Activities whose effect is in Temporal: change control, other workflows. */
const TEMPORAL_ACTIVITIES = new Set(['acquireLease', 'signalHolder', 'terminateHolder', 'reportErrorBudget']);

// A harness that was killed cannot end its workers: they end with it.
const harness = Number(process.env[HARNESS_VARIABLE] ?? process.ppid);
setInterval(() => isAlive(harness) || process.exit(1), 500).unref();

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

let run = '';
const counted = new Map<string, number>();
const underWay = new WeakMap<object, CallLine>();

/** Called in the async context of the activity that sends it, before anything is sent. */
function begin(request: object, method: string, path: string): void {
  const activity = asyncLocalStorage.getStore()?.info.activityType ?? 'worker';
  const orders = readOrders(folder!);
  if (!orders) return;
  if (orders.run !== run) counted.clear();
  const { environment } = orders;
  run = orders.run;
  const key = keyOf(activity, method, path, environment);
  const ordinal = (counted.get(key) ?? 0) + 1;
  counted.set(key, ordinal);
  const line: CallLine = { environment, pid: process.pid, key, ordinal, outcome: 'sent' };
  underWay.set(request, line);
  recordCall(folder!, line);
  strike(line, 'before');
}

function end(request: object, outcome: CallLine['outcome']): void {
  const line = underWay.get(request);
  if (!line) return;
  underWay.delete(request);
  recordCall(folder!, { ...line, outcome });
  // A call that failed or was refused had no answer to lose: it is another attempt's turn.
  if (isRefused(outcome)) counted.set(line.key, (counted.get(line.key) ?? 1) - 1);
  else if (typeof outcome === 'number') strike(line, 'after');
}

function strike({ key, ordinal, environment: of }: CallLine, side: Side): void {
  const orders = readOrders(folder!);
  if (!orders?.strikes || orders.environment !== of) return;
  const number = strikesDone(folder!);
  const next = orders.strikes[number];
  if (next?.side !== side || next.call.key !== key || next.call.ordinal !== ordinal) return;
  if (!takeStrike(folder!, number)) return;
  // Synchronous: the process is dead when this returns.
  if (next.signal !== 'none') process.kill(process.pid, next.signal);
}

const databases = { begin, end: (of: object, done: boolean) => end(of, done ? 200 : 'failed') };
watchStatements(databases);
watchTools(databases);

subscribe('undici:request:create', (message) => {
  const { request } = message as { request: { method: string; path: string } };
  if (isMutating(request.method, request.path)) begin(request, request.method, request.path);
});
subscribe('undici:request:headers', (message) => {
  const { request, response } = message as { request: object; response: { statusCode: number } };
  end(request, response.statusCode);
});
subscribe('undici:request:error', (message) => {
  const { request } = message as { request: object };
  end(request, 'failed');
});
subscribe('http.client.request.created', (message) => {
  const { request } = message as { request: ClientRequest };
  if (isMutating(request.method, request.path)) begin(request, request.method, request.path);
});
subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
  end(request, response.statusCode ?? 'failed');
});
subscribe('http.client.request.error', (message) => {
  const { request } = message as { request: ClientRequest };
  end(request, 'failed');
});

export const activityInterceptors: ActivityInterceptorsFactory[] = [
  (context) => ({
    inbound: {
      async execute(input, next) {
        if (!TEMPORAL_ACTIVITIES.has(context.info.activityType)) return next(input);
        begin(input, 'POST', 'temporal');
        try {
          const result = await next(input);
          end(input, 200);
          return result;
        } catch (error) {
          end(input, 'failed');
          throw error;
        }
      },
    },
  }),
];
