import type { WorkflowExecutionInfo } from '@temporalio/client';
import { printable } from '../../domain/printable.ts';

/** A procedure as the server's records have it. Times are ISO 8601. */
export interface RunShown {
  workflowId: string;
  runId: string;
  procedure: string;
  system: string;
  environment: string;
  /** One line: what it is for. */
  summary: string;
  requestedBy: string;
  startedAt: string;
  /** Roles that are awaited. */
  awaiting: string[];
}

type Info = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'type' | 'startTime' | 'memo' | 'searchAttributes'>;

/** Picks what people need out of a record of the server. */
export function toRun({ workflowId, runId, type, startTime, memo, searchAttributes }: Info): RunShown {
  const attribute = (name: string): string => String(searchAttributes[name]?.[0] ?? '');
  const noted = (key: string): string => (typeof memo?.[key] === 'string' ? printable(memo[key]) : '');
  return {
    // Not cleaned: by these it is found again.
    workflowId,
    runId,
    procedure: printable(type),
    system: attribute('OpsSystem'),
    environment: attribute('OpsEnvironment'),
    summary: noted('summary'),
    requestedBy: noted('requestedBy'),
    startedAt: startTime.toISOString(),
    awaiting: (searchAttributes['OpsAwaiting'] ?? []).map(String),
  };
}
