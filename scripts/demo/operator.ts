import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoints } from '../sandbox/endpoints.ts';
import type { Narrator } from './narrator.ts';
import { windlass } from './windlass.ts';

/** Who asks for a procedure in the demos, and who approves it. */
const REQUESTER = 'kim';
const APPROVER = 'ana';

/** What the demos read of `windlass status`. */
export interface Status {
  run: { status: string; startedAt: string; phase?: string; awaiting: string[] };
  progress?: { step: string };
  ending?: { ok: boolean; type?: string; message?: string; result?: Record<string, unknown> };
}

/** How a procedure ended. Times are ISO 8601, durations milliseconds. */
export interface Ended {
  ok: boolean;
  failure?: string;
  result: Record<string, unknown>;
  startedAt: string;
  endedAt: string;
  tookMs: number;
}

/** The people of a demo: they ask for procedures, approve them, and watch, with the CLI only. */
export interface Operator {
  /**
   * One procedure from request to end.
   * @param args of the command that starts it: `['deploy', 'sandbox', 'local', 'shop', …]`
   * @param how.gate its gate: approved by a second person; attended, by whoever watches. None when it has none.
   * @param how.meanwhile runs beside it, from its start
   * @throws Error when it does not start
   */
  carryOut(
    args: string[],
    how: { gate?: { name: string; waitsFor: string }; meanwhile?: (id: string) => Promise<void> },
  ): Promise<Ended>;
  /**
   * One command of somebody else, who says so.
   * @throws Error when it is refused
   */
  order(args: string[], as: string): Promise<void>;
  /** Says every new step of a procedure, once it is there, until it closes; returns its end. */
  watch(id: string): Promise<Pick<Ended, 'ok' | 'failure' | 'result'>>;
  /** Asks `windlass status` until the condition holds. */
  until(id: string, reached: (status: Status) => boolean): Promise<Status>;
}

export const isClosed = ({ run }: Status): boolean => run.status !== 'running';

export function createOperator(tell: Narrator, unattended: boolean, { temporal }: Endpoints): Operator {
  const begunAt = Date.now();
  return {
    async carryOut(args, { gate, meanwhile }) {
      const started = new Date();
      const asked = await windlass([...args, '--no-wait'], REQUESTER);
      if (asked.code !== 0) throw new Error(`windlass ${args.join(' ')} did not start: ${JSON.stringify(asked.json)}`);
      const id = String(asked.json.id);
      tell.say(`${REQUESTER} asks: windlass ${args.join(' ')}`);
      if (gate) {
        await until(id, (status) => status.run.awaiting.length > 0 || isClosed(status));
        tell.say(`it waits for ${gate.waitsFor}`);
        if (unattended) await approve(id, gate.name);
        else {
          tell.say(`approve it:  npx windlass approve ${id} --as ${APPROVER}`);
          tell.say(`       or in:  ${temporal.ui}/namespaces/default/workflows/${encodeURIComponent(id)}`);
        }
      }
      await Promise.all([meanwhile?.(id), follow(id)]);
      const ended = endOf(await until(id, isClosed));
      const endedAt = new Date();
      return {
        ...ended,
        startedAt: started.toISOString(),
        endedAt: endedAt.toISOString(),
        tookMs: endedAt.getTime() - started.getTime(),
      };
    },
    async order(args, as) {
      const { code, json } = await windlass(args, as);
      if (code !== 0) throw new Error(`windlass ${args.join(' ')} was refused: ${JSON.stringify(json)}`);
      tell.say(`${as}: windlass ${args.join(' ')}`);
    },
    async watch(id) {
      await follow(id);
      return endOf(await until(id, isClosed));
    },
    until,
  };

  async function until(id: string, reached: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const { json } = await windlass(['status', id], REQUESTER);
      // One that is not there yet has no status, and a former demo had runs of the same ids.
      const status = json as unknown as Partial<Status>;
      if (status.run && Date.parse(status.run.startedAt) >= begunAt && reached(status as Status))
        return status as Status;
      await delay(500);
    }
  }

  async function approve(id: string, gate: string): Promise<void> {
    const { code, json } = await windlass(['approve', id, gate], APPROVER);
    if (code !== 0) throw new Error(`the approval of ${id} was not taken: ${JSON.stringify(json)}`);
    tell.say(`${APPROVER} approves`);
  }

  /** Says every new step until the procedure closes. */
  async function follow(id: string): Promise<void> {
    let last = '';
    await until(id, (status) => {
      const step = status.progress?.step;
      if (step && step !== last) tell.say(`  ${step}`);
      last = step ?? last;
      return isClosed(status);
    });
  }
}

function endOf({ ending }: Status): Pick<Ended, 'ok' | 'failure' | 'result'> {
  const failure = ending && !ending.ok ? { failure: `${ending.type}: ${ending.message}` } : {};
  return { ok: ending?.ok ?? false, ...failure, result: ending?.result ?? {} };
}
