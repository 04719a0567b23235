import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AuditFile } from '../../audit/read-segment.ts';
import type {
  AuditListing,
  AuditObject,
  AuditQuery,
  AuditRecord,
  AuditTexts,
  ReadAuditInput,
  ReconcileAuditInput,
  ReconcileAuditResult,
} from '../../contracts/audit.ts';
import { GRPC, grpcStatus } from '../../adapters/temporal/grpc.ts';
import { CliError } from '../errors.ts';
import { printable } from '../../domain/printable.ts';
import { workerPolls } from './messages.ts';
import type { Session } from './session.ts';

/** One question about the audit; a worker needs milliseconds for it. */
const ANSWER_MS = 30_000;
/** Objects that are named in one question. */
const PER_QUESTION = 100;

export const askSearch = async (
  session: Session,
  query: AuditQuery,
): Promise<{ records: AuditRecord[]; more: boolean }> => ask(session, { ask: 'search', query });

/** The sealed objects, page by page. */
export async function* listObjects(
  session: Session,
  place: { system?: string; environment?: string },
): AsyncGenerator<AuditObject[]> {
  let after: AuditListing['next'];
  do {
    const page: AuditListing = await ask(session, { ask: 'list', ...place, ...(after ? { after } : {}) });
    yield page.objects;
    after = page.next;
  } while (after);
}

/** Texts of sealed objects, in their order, each of them whole. */
export async function* fetchObjects(session: Session, objects: AuditObject[]): AsyncGenerator<AuditFile> {
  let [index, offset, part] = [0, 0, ''];
  while (index < objects.length) {
    const asked = objects.slice(index, index + PER_QUESTION);
    const { texts, next }: AuditTexts = await ask(session, { ask: 'read', objects: asked, offset });
    for (const [position, { file, text }] of texts.entries()) {
      part += text;
      if (next?.index === position && next.offset > 0) continue;
      yield { file, text: part };
      part = '';
    }
    [index, offset] = next ? [index + next.index, next.offset] : [index + asked.length, 0];
  }
}

/** Asks by a workflow of its own: what touches a database runs in a worker. @throws CliError as `run` */
async function ask<T>(session: Session, input: ReadAuditInput): Promise<T> {
  return (await run(session, 'readAudit', `audit-read/${crypto.randomUUID()}`, input, ANSWER_MS)) as T;
}

/** Exports what has ended; one that goes on for the same place is waited for. @throws CliError as `run` */
export async function reconcile(
  session: Session,
  input: Omit<ReconcileAuditInput, 'soFar'>,
  timeoutMs: number,
): Promise<ReconcileAuditResult> {
  const place = [input.system, input.environment].filter(Boolean).join('/') || 'everything';
  return (await run(session, 'reconcileAudit', `audit-reconcile/${place}`, input, timeoutMs)) as ReconcileAuditResult;
}

/** @throws CliError `refused` (the audit is off), `failed`, `no-worker`, `timeout` */
async function run(
  session: Session,
  type: string,
  workflowId: string,
  input: unknown,
  timeoutMs: number,
): Promise<unknown> {
  const handle = await session.bounded(() =>
    session.client.workflow.start(type, {
      workflowId,
      taskQueue: session.taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
  try {
    return await session.bounded(() => handle.result(), timeoutMs);
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw failed(error);
    const code = grpcStatus(error)?.code;
    if (code !== GRPC.deadlineExceeded && code !== GRPC.canceled) throw error;
    const polls = await workerPolls(session);
    // A question that nobody waits for any more; an export may as well go on.
    if (type === 'readAudit') await handle.terminate('nobody waits for it').catch(() => undefined);
    if (!polls)
      throw new CliError(
        'no-worker',
        `No worker serves task queue ${session.taskQueue}: nobody can read or write the audit.`,
        'Start a worker, or name another queue with --task-queue.',
      );
    throw new CliError(
      'timeout',
      `No answer within ${timeoutMs / 1000} s.`,
      `What kept it: windlass why ${workflowId}`,
    );
  }
}

function failed({ cause }: WorkflowFailedError): CliError {
  let reason: Error | undefined = cause;
  while (reason && !(reason instanceof ApplicationFailure) && reason.cause instanceof Error) reason = reason.cause;
  const type = reason instanceof ApplicationFailure ? reason.type : undefined;
  const message = printable(reason?.message ?? 'no reason given');
  return type === 'Refused'
    ? new CliError('refused', `${message}.`)
    : new CliError('failed', `The audit does not answer: ${type ? `${type}: ` : ''}${message}.`);
}
