import { maintenanceWindow } from '../../contracts/maintenance-window.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import type { StartRequest } from '../server/start.ts';
import { checkInput, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';
import { plan, type PlanFlags } from './plan.ts';
import { startAndWait, type WaitFlags } from './release.ts';

/** Flags of `window start` and `plan window`. */
export interface WindowFlags {
  system?: string;
  environment?: string;
  window?: string;
  now?: boolean;
  reason?: string;
}

type Places = (string | undefined)[];

export const startWindow = (context: Context, places: Places, flags: WindowFlags & WaitFlags): Promise<ExitCode> =>
  startAndWait(context, windowRequest(places, flags, context.me, false), flags);

export const planWindow = (context: Context, places: Places, flags: WindowFlags & PlanFlags): Promise<ExitCode> =>
  plan(context, windowRequest(places, flags, context.me, true), flags.timeout);

/** What `window start` starts. @throws CliError `usage`, `invalid-input` */
export function windowRequest(places: Places, flags: WindowFlags, me: string, planOnly: boolean): StartRequest {
  const { system, environment, window, now, reason } = flags;
  const fields = fillFields(['system', 'environment', 'window'], places, given({ system, environment, window }));
  const when = now ? 'now' : 'scheduled';
  const input = checkInput(maintenanceWindow, given({ ...fields, when, requestedBy: me, reason, planOnly }));
  return {
    procedure: maintenanceWindow.procedure,
    workflowId: idOf(maintenanceWindow.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}window ${input.window} of ${input.system} ${input.environment}`,
    details: details(maintenanceWindow.description, { ...fields, when, 'asked by': input.requestedBy, reason }),
  };
}
