import { explain, isUnreachable } from '../errors.ts';
import type { Ending } from '../render/status.ts';
import { readEnding, type Decode, type Story } from './history.ts';
import type { Session } from './session.ts';
import { readStory } from './story.ts';

/** The story of one run, read from the server alone. */
export async function fetchStory(session: Session, id: string, runId: string): Promise<Story> {
  const { events } = await session.bounded(() => session.client.workflow.getHandle(id, runId).fetchHistory(), 30_000);
  return readStory(events ?? [], decoder(session));
}

/** How a run that is closed ended; undefined while it runs. */
export const fetchEnding = (session: Session, id: string, runId: string) => closing(session, id, runId, false);

/**
 * Waits until a run closes, also across restarts of the server.
 * @param onTrouble told each time the server does not answer, before it is asked again
 * @param deadline milliseconds since the epoch; without one it waits for ever
 * @returns undefined when the deadline came first
 */
export async function awaitEnding(
  session: Session,
  id: string,
  runId: string,
  { deadline = Infinity, onTrouble }: { deadline?: number; onTrouble?: (message: string) => void } = {},
): Promise<Ending | undefined> {
  while (Date.now() < deadline) {
    try {
      const ending = await closing(session, id, runId, true, Math.min(deadline, Date.now() + 30_000));
      if (ending) return ending;
    } catch (error) {
      if (!isUnreachable(error)) throw explain(error, session.server);
      if (Date.now() >= deadline) return undefined;
      // An answer that the long poll just did not bring in time is no trouble.
      if (!/DEADLINE_EXCEEDED/.test(String((error as Error).cause ?? error)))
        onTrouble?.(`${session.server} does not answer; asking again.`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  return undefined;
}

async function closing(
  session: Session,
  id: string,
  runId: string,
  wait: boolean,
  until = Date.now() + 10_000,
): Promise<Ending | undefined> {
  const { history } = await session.connection.withDeadline(until, () =>
    session.connection.workflowService.getWorkflowExecutionHistory({
      namespace: session.namespace,
      execution: { workflowId: id, runId },
      waitNewEvent: wait,
      historyEventFilterType: 2, // HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    }),
  );
  const event = history?.events?.at(-1);
  return event && readEnding(event, decoder(session));
}

/** Decodes payloads as the client itself would, codecs included. */
export function decoder(session: Session): Decode {
  const { payloadConverter, payloadCodecs } = session.client.options.loadedDataConverter;
  return async (payload) => {
    let payloads = [payload];
    for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
    return payloadConverter.fromPayload(payloads[0]!);
  };
}
