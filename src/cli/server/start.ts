import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { CliError } from '../errors.ts';
import type { Session } from './session.ts';

export interface StartRequest {
  procedure: string;
  workflowId: string;
  input: { system: string; environment: string; requestedBy: string };
  /** One line for people; at most 200 characters are shown. */
  summary: string;
  /** Markdown. */
  details: string;
}

export interface Started {
  id: string;
  runId: string;
  procedure: string;
}

/**
 * Starts a procedure. The same id may run again later, never twice at once.
 * @throws CliError `already-running`
 */
export async function startProcedure(session: Session, request: StartRequest): Promise<Started> {
  const { procedure, workflowId, input, summary, details } = request;
  const keyword = (name: string, value: string) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  });
  try {
    const handle = await session.bounded(() =>
      session.client.workflow.start(procedure, {
        workflowId,
        taskQueue: session.taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: summary.slice(0, 200),
        staticDetails: details,
        // With these, `status` and `list` tell what it is before any worker took it.
        memo: { summary: summary.slice(0, 200), requestedBy: input.requestedBy },
        typedSearchAttributes: [
          keyword('OpsSystem', input.system),
          keyword('OpsEnvironment', input.environment),
          keyword('OpsProcedure', procedure),
        ],
      }),
    );
    return { id: workflowId, runId: handle.firstExecutionRunId, procedure };
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')
      throw new CliError(
        'already-running',
        `${workflowId} runs already; the same one is not started twice.`,
        `See it: windlass status ${workflowId}   stop it: windlass abort ${workflowId}`,
      );
    throw error;
  }
}

/** Ends a plan that nobody waits for any more; it changes nothing, so there is nothing to take back. */
export async function discardPlan(session: Session, { id, runId }: Started, reason: string): Promise<void> {
  await session.bounded(() => session.client.workflow.getHandle(id, runId).terminate(reason)).catch(() => undefined);
}
