import { Agent } from 'node:http';
import { LoadRecorder, type ConnectionKind, type LoadReport, type Opening } from './load-report.ts';
import { sendOnce } from './load-request.ts';

export interface LoadOptions {
  /** `http:` only. */
  url: string;
  /** Half of them open a connection of their own, half go over kept ones. */
  requestsPerSecond: number;
  /**
   * Kept connections, all in use in turn; 16 by default. Each must get a request more often than the server's drain lasts
   * (`requestsPerSecond / 2 / connections` per second), or it closes while idle instead of being told to.
   */
  connections?: number;
  /** Header of an answer that names the version; `x-app-version` by default. */
  versionHeader?: string;
  /** Of a whole request; 10 s by default. */
  timeoutMs?: number;
}

export interface Load {
  /** What happened so far. */
  snapshot(): Promise<LoadReport>;
  /** The new connections that were answered so far, in the order of their answers: how traffic moved, one by one. */
  openings(): Promise<Opening[]>;
  /** Issues no more, waits for what is in flight (at most the request timeout), closes all connections. */
  stop(): Promise<LoadReport>;
}

const TICK_MS = 5;
/** One connection per request: a bound against a server that does not answer at all. */
const MAX_NEW_IN_FLIGHT = 1000;

/**
 * Requests at a fixed rate, whatever the answers (open loop), and counts how each ended. What cannot be sent in time, because
 * all connections wait for answers, is sent late, or given up after a second: compare `issued` with the rate wanted.
 * @throws TypeError when the URL is not an http one
 */
export function startLoad(options: LoadOptions): Load {
  const { requestsPerSecond, connections = 16, versionHeader = 'x-app-version', timeoutMs = 10_000 } = options;
  const url = new URL(options.url);
  if (url.protocol !== 'http:') throw new TypeError(`expected an http: URL, got ${options.url}`);
  const recorder = new LoadRecorder(options.url);
  const fresh = new Agent({ keepAlive: false });
  // An agent per kept connection: one agent for all would send everything over the few that a fast server needs.
  const idle = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const kept = [...idle];
  const inFlight = new Set<Promise<void>>();
  let newInFlight = 0;

  const send = (connection: ConnectionKind, agent: Agent, done: () => void): void => {
    const request = sendOnce({
      url,
      agent,
      connection,
      versionHeader: versionHeader.toLowerCase(),
      timeoutMs,
      recorder,
    });
    const ended = request.then(() => {
      inFlight.delete(ended);
      done();
    });
    inFlight.add(ended);
  };
  const sendNew = (): boolean => {
    if (newInFlight >= MAX_NEW_IN_FLIGHT) return false;
    newInFlight += 1;
    send('new', fresh, () => (newInFlight -= 1));
    return true;
  };
  const sendKept = (): boolean => {
    const agent = idle.shift();
    if (!agent) return false;
    send('kept', agent, () => idle.push(agent));
    return true;
  };

  const perSecond = requestsPerSecond / 2;
  const owed = { new: 0, kept: 0 };
  let last = performance.now();
  const tick = (): void => {
    const now = performance.now();
    const due = ((now - last) / 1000) * perSecond;
    last = now;
    for (const [connection, sendOne] of [
      ['new', sendNew],
      ['kept', sendKept],
    ] as const) {
      owed[connection] = Math.min(owed[connection] + due, Math.max(1, perSecond));
      while (owed[connection] >= 1 && sendOne()) owed[connection] -= 1;
    }
  };
  const timer = setInterval(tick, TICK_MS);

  return {
    snapshot: async () => recorder.report(),
    openings: async () => [...recorder.openings],
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      for (const agent of [fresh, ...kept]) agent.destroy();
      return recorder.report();
    },
  };
}
