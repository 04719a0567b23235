import type { WorkflowExecutionInfo } from '@temporalio/client';
import { CliError } from '../errors.ts';
import { printable } from '../../domain/printable.ts';
import type { Session } from './session.ts';

export type RunStatus =
  'running' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed-out' | 'continued-as-new' | 'paused';

/** A procedure as the server's records have it; no worker is needed to read them. Times are ISO 8601. */
export interface RunView {
  id: string;
  runId: string;
  procedure: string;
  status: RunStatus;
  system?: string;
  environment?: string;
  phase?: string;
  severity?: string;
  /** Roles or people. */
  awaiting: string[];
  startedAt: string;
  closedAt?: string;
  requestedBy?: string;
  /** One line: what it is for. */
  summary?: string;
  /** The command that brings traffic back by hand. */
  escape?: string;
  /** Gates that somebody passed alone, in words. */
  breakGlass?: string;
}

const STATUS: Record<string, RunStatus> = {
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'canceled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
  CONTINUED_AS_NEW: 'continued-as-new',
  PAUSED: 'paused',
};

/** Picks what operators read out of a record of the server. */
export function toRunView(
  info: Pick<
    WorkflowExecutionInfo,
    'workflowId' | 'runId' | 'type' | 'status' | 'startTime' | 'closeTime' | 'memo' | 'searchAttributes'
  >,
): RunView {
  const attribute = (name: string): string | undefined => {
    const value = info.searchAttributes[name]?.[0];
    return value === undefined ? undefined : String(value);
  };
  const memo = (key: string): string | undefined => {
    const value = info.memo?.[key];
    return typeof value === 'string' ? value : undefined;
  };
  return printable(
    compact({
      id: info.workflowId,
      runId: info.runId,
      procedure: info.type,
      status: STATUS[info.status.name] ?? 'running',
      system: attribute('OpsSystem'),
      environment: attribute('OpsEnvironment'),
      phase: attribute('OpsPhase'),
      severity: attribute('OpsSeverity'),
      awaiting: (info.searchAttributes['OpsAwaiting'] ?? []).map(String),
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString(),
      requestedBy: memo('requestedBy'),
      summary: memo('summary'),
      escape: memo('escape'),
      breakGlass: memo('breakGlass'),
    }),
  );
}

export interface RunFilter {
  /** `running` leaves out what has ended. */
  state?: 'running' | 'all';
  system?: string;
  environment?: string;
  procedure?: string;
  limit: number;
}

/** The visibility query for a filter. Plans and the keeper of the leases are no operations: they are left out. */
export function visibilityQuery({ state, system, environment, procedure }: RunFilter): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  return [
    procedure ? `WorkflowType = ${quoted(procedure)}` : "OpsProcedure IS NOT NULL AND WorkflowType != 'changeControl'",
    "WorkflowId NOT STARTS_WITH 'plan/'",
    ...(state === 'running' ? ["ExecutionStatus = 'Running'"] : []),
    ...(system ? [`OpsSystem = ${quoted(system)}`] : []),
    ...(environment ? [`OpsEnvironment = ${quoted(environment)}`] : []),
  ].join(' AND ');
}

/** Runs that match, newest first. */
export async function listRuns(session: Session, filter: RunFilter): Promise<RunView[]> {
  return session.bounded(async () => {
    const runs: RunView[] = [];
    for await (const info of session.client.workflow.list({ query: visibilityQuery(filter), pageSize: filter.limit })) {
      runs.push(toRunView(info));
      if (runs.length >= filter.limit) break;
    }
    return runs.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  });
}

/** The latest run of an id, with the server's raw description. @throws CliError `not-found` */
export async function describeRun(session: Session, id: string) {
  const description = await session.bounded(() => session.client.workflow.getHandle(id).describe());
  return { run: toRunView(description), description };
}

/** @throws CliError `not-found`, or `not-running` with what became of it */
export async function describeOpenRun(session: Session, id: string): Promise<RunView> {
  const { run } = await describeRun(session, id);
  if (run.status === 'running' || run.status === 'paused') return run;
  throw new CliError(
    'not-running',
    `${id} is over: it ${statusWord(run.status)}.`,
    `What happened: windlass show ${id}`,
  );
}

export function statusWord(status: RunStatus): string {
  return { completed: 'completed', failed: 'failed', canceled: 'was canceled', terminated: 'was terminated', 'timed-out': 'timed out', 'continued-as-new': 'goes on in a new run', running: 'runs', paused: 'is paused' }[status]; // prettier-ignore
}

/** The object without its undefined members. */
export function compact<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter((entry) => entry[1] !== undefined)) as never;
}
