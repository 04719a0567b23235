import type { Client } from '@temporalio/client';
import { signalRunning, signalWithStart } from '../adapters/temporal.ts';
import { handleIncident } from '../contracts/handle-incident.ts';
import type { Bundle } from './alertmanager.ts';

/** Alerts of one signal: a payload may have 2 MiB. */
const AT_ONCE = 200;
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
    for (let from = 0; from < alerts.length; from += AT_ONCE) {
      const part = { alerts: alerts.slice(from, from + AT_ONCE) };
      if (part.alerts.every(({ status }) => status === 'resolved')) {
        // The end of an alert opens nothing.
        await signalRunning(client, workflowId, 'alerts', part);
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
        timeoutMs: 5000,
      });
    }
  }
}
