import type { Client } from '@temporalio/client';
import { historyToJSON, type Payload } from '@temporalio/common/lib/proto-utils.js';
import { failure } from './failure.ts';
import { textOf, unlessNotFound } from './temporal.ts';

/** A run that has ended, as the visibility store has it. */
export interface ClosedRun {
  workflowId: string;
  runId: string;
  procedure: string;
  /** As the search attributes say; absent when nobody set them. */
  system?: string;
  environment?: string;
  /** ISO 8601. */
  closedAt: string;
}

export interface ClosedRunsQuery {
  /** Workflow types that count even when a run said nothing of itself. */
  types: string[];
  /** ISO 8601; runs that closed later. */
  since?: string;
  system?: string;
  environment?: string;
}

const ENDED = ['Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut', 'ContinuedAsNew'];
/** What the server gives at once at most. */
const PAGE = 1000;
const HISTORY_WITHIN_MS = 60_000;

/** Runs that have ended, page by page, in no order. The visibility store learns of an end a moment later. @throws Unavailable */
export async function* closedRuns(client: Client, asked: ClosedRunsQuery): AsyncGenerator<ClosedRun[]> {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const listed = (texts: string[]): string => `(${texts.map(quoted).join(', ')})`;
  const query = [
    `(OpsProcedure IS NOT NULL OR WorkflowType IN ${listed(asked.types)})`,
    `ExecutionStatus IN ${listed(ENDED)}`,
    ...(asked.since ? [`CloseTime > ${quoted(asked.since)}`] : []),
    ...(asked.system ? [`OpsSystem = ${quoted(asked.system)}`] : []),
    ...(asked.environment ? [`OpsEnvironment = ${quoted(asked.environment)}`] : []),
  ].join(' AND ');
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  do {
    // Not the client's own list: that decodes memos, and one that was encrypted with another key would hide all the others.
    const page = await client.workflowService
      .listWorkflowExecutions({ namespace, query, pageSize: PAGE, ...(nextPageToken ? { nextPageToken } : {}) })
      .catch((error: unknown) => {
        throw failure('Unavailable', `Temporal does not list what has ended: ${textOf(error)}`);
      });
    yield page.executions.map(closedRun);
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
}

type Info = Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>['executions'][number];

function closedRun({ execution, type, closeTime, searchAttributes }: Info): ClosedRun {
  const [system, environment] = ['OpsSystem', 'OpsEnvironment'].map((name) =>
    keyword(searchAttributes?.indexedFields?.[name]),
  );
  return {
    ...{ workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '', procedure: type?.name ?? '' },
    closedAt: new Date(
      Number(closeTime?.seconds ?? 0) * 1000 + Math.floor((closeTime?.nanos ?? 0) / 1e6),
    ).toISOString(),
    ...(system ? { system } : {}),
    ...(environment ? { environment } : {}),
  };
}

/** Search attributes are JSON, whatever codec payloads have. */
function keyword(payload: Payload | undefined): string | undefined {
  if (!payload?.data) return undefined;
  try {
    const value = JSON.parse(Buffer.from(payload.data).toString('utf8')) as unknown;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The whole history of a run as Temporal's tools write it in JSON, decoded by the client's codecs.
 * @returns undefined when the server has it no more
 * @throws Unavailable
 */
export function readHistory(
  client: Client,
  { workflowId, runId }: Pick<ClosedRun, 'workflowId' | 'runId'>,
): Promise<unknown> {
  return unlessNotFound(async () => {
    const history = await client.withDeadline(Date.now() + HISTORY_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId, runId).fetchHistory(),
    );
    const { payloadCodecs } = client.options.loadedDataConverter;
    if (payloadCodecs.length > 0)
      await decodeIn(history, async (payload) => {
        let payloads = [payload];
        for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
        return payloads[0]!;
      });
    return JSON.parse(historyToJSON(history)) as unknown;
  });
}

/** Replaces every payload in a history, wherever it is. One that cannot be decoded stays: it is told by its digest. */
async function decodeIn(value: unknown, decode: (payload: Payload) => Promise<Payload>): Promise<void> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  for (const [key, each] of Object.entries(value as Record<string, unknown>)) {
    if (isPayload(each)) (value as Record<string, unknown>)[key] = await decode(each).catch(() => each);
    else await decodeIn(each, decode);
  }
}

const isPayload = (value: unknown): value is Payload =>
  (value as { metadata?: { encoding?: unknown } } | null)?.metadata?.encoding instanceof Uint8Array;
