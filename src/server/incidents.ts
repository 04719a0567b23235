import type { Client } from '@temporalio/client';
import { signalRunning, signalWithStart } from '../adapters/temporal.ts';
import { handleIncident, type IncidentAlert } from '../contracts/handle-incident.ts';
import type { Bundle } from './alertmanager.ts';

/** Of one signal: a payload may have 2 MiB, and what is longer is refused for ever. */
const ALERTS_AT_ONCE = 200;
const BYTES_AT_ONCE = 1024 * 1024;
/** Alertmanager gives a webhook up after 10 s, and sends it again; by then it must have an answer. */
const WITHIN_MS = 5000;
/** Signals to one incident follow each other no faster: what comes meanwhile goes together. */
const PAUSE_MS = 500;

interface Waiting {
  bundle: Bundle;
  done: () => void;
  failed: (error: Error) => void;
}

/**
 * Passes alerts on to the incident they belong to, which is started when none is open. Webhooks for one incident that
 * come while it is being told go together, so that a storm is a few signals and not thousands.
 */
export function createIncidentTaker(client: Client, taskQueue: string): (bundle: Bundle) => Promise<void> {
  const queues = new Map<string, Waiting[]>();

  return (bundle) =>
    new Promise<void>((done, failed) => {
      const id = handleIncident.workflowId(bundle.input);
      const queue = queues.get(id);
      if (queue) return void queue.push({ bundle, done, failed });
      queues.set(id, [{ bundle, done, failed }]);
      void drain(id);
    });

  async function drain(id: string): Promise<void> {
    for (let waiting = queues.get(id)!; waiting.length > 0;) {
      const together = waiting.splice(0);
      try {
        await send(id, together);
        together.forEach(({ done }) => done());
      } catch (error) {
        together.forEach(({ failed }) => failed(error as Error));
      }
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
    queues.delete(id);
  }

  async function send(workflowId: string, together: Waiting[]): Promise<void> {
    const [{ bundle }] = together as [Waiting];
    const alerts = together.flatMap((each) => each.bundle.alerts);
    for (const part of signalsOf(alerts)) {
      if (part.alerts.every(({ status }) => status === 'resolved')) {
        // The end of an alert opens nothing.
        await signalRunning(client, { workflowId, signal: 'alerts', argument: part, timeoutMs: WITHIN_MS });
        continue;
      }
      const { input } = bundle;
      const summary = `incident of ${input.service ?? 'all'} in ${input.system} ${input.environment}`;
      await signalWithStart(client, {
        workflowType: handleIncident.procedure,
        workflowId,
        taskQueue,
        input,
        signal: 'alerts',
        argument: part,
        memo: { summary, requestedBy: input.requestedBy },
        summary,
        timeoutMs: WITHIN_MS,
      });
    }
  }
}

/** The payloads that carry alerts, in their order: each within what a signal may have. */
export function signalsOf(alerts: IncidentAlert[]): { alerts: IncidentAlert[] }[] {
  const signals: { alerts: IncidentAlert[] }[] = [];
  let bytes = Infinity;
  for (const alert of alerts) {
    const size = Buffer.byteLength(JSON.stringify(alert));
    if (bytes + size > BYTES_AT_ONCE || signals.at(-1)!.alerts.length === ALERTS_AT_ONCE) {
      signals.push({ alerts: [] });
      bytes = 0;
    }
    signals.at(-1)!.alerts.push(alert);
    bytes += size;
  }
  return signals;
}
