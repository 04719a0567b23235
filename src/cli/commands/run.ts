import { runRunbook, type RunRunbookInput } from '../../contracts/run-runbook.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import type { StartRequest } from '../server/start.ts';
import { checkInput, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';
import { plan, type PlanFlags } from './plan.ts';
import { startAndWait, type WaitFlags } from './release.ts';

/** Flags of `run` and `plan run`. */
export interface RunFlags {
  system?: string;
  environment?: string;
  runbook?: string;
  service?: string;
  parameter?: Record<string, string>;
  reason?: string;
  onFailure?: 'ask' | 'fail';
  queue?: boolean;
}

type Places = (string | undefined)[];

export const run = (context: Context, places: Places, flags: RunFlags & WaitFlags): Promise<ExitCode> =>
  startAndWait(context, runRequest(places, flags, context.me, false), flags);

export const planRun = (context: Context, places: Places, flags: RunFlags & PlanFlags): Promise<ExitCode> =>
  plan(context, runRequest(places, flags, context.me, true), flags.timeout);

/** What `run` starts. @throws CliError `usage`, `invalid-input` */
export function runRequest(places: Places, flags: RunFlags, me: string, planOnly: boolean): StartRequest {
  const { system, environment, runbook, service, parameter: parameters, reason, onFailure, queue } = flags;
  const fields = fillFields(['system', 'environment', 'runbook'], places, given({ system, environment, runbook }));
  const input: RunRunbookInput = checkInput(
    runRunbook,
    given({
      ...{ ...fields, service, parameters, requestedBy: me, reason, planOnly, onFailure },
      onBusy: queue ? 'queue' : undefined,
    }),
  );
  const shown = Object.entries(input.parameters).map(([name, value]) => `${name}=${value}`);
  return {
    procedure: runRunbook.procedure,
    workflowId: idOf(runRunbook.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}${input.runbook}${service ? ` of ${service}` : ''} in ${input.system} ${input.environment}`,
    details: details(runRunbook.description, {
      ...fields,
      service,
      parameters: shown.length > 0 ? shown.join(', ') : undefined,
      'asked by': input.requestedBy,
      reason,
    }),
  };
}
