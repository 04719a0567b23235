import {
  acknowledgeSchema,
  handleIncident,
  resolveSchema,
  setSeveritySchema,
  type HandleIncidentInput,
} from '../../contracts/handle-incident.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { tellIncident } from '../server/messages.ts';
import { describeOpenRun } from '../server/runs.ts';
import type { StartRequest } from '../server/start.ts';
import { checkInput, checkMessage, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';
import { plan, type PlanFlags } from './plan.ts';
import { startAndWait, type WaitFlags } from './release.ts';

/** Flags of `incident open` and `plan incident`. */
export interface IncidentFlags {
  system?: string;
  environment?: string;
  service?: string;
  title?: string;
  alert?: string;
}

type Places = (string | undefined)[];

export const openIncident = (context: Context, places: Places, flags: IncidentFlags & WaitFlags): Promise<ExitCode> =>
  startAndWait(context, incidentRequest(places, flags, context.me, false), flags);

export const planIncident = (context: Context, places: Places, flags: IncidentFlags & PlanFlags): Promise<ExitCode> =>
  plan(context, incidentRequest(places, flags, context.me, true), flags.timeout);

/** What `incident open` starts. @throws CliError `usage`, `invalid-input` */
export function incidentRequest(places: Places, flags: IncidentFlags, me: string, planOnly: boolean): StartRequest {
  const { system, environment, service, title, alert } = flags;
  const fields = fillFields(['system', 'environment'], places, given({ system, environment }));
  const input: HandleIncidentInput = checkInput(
    handleIncident,
    given({ ...fields, service, title, alert, requestedBy: me, planOnly }),
  );
  return {
    procedure: handleIncident.procedure,
    workflowId: idOf(handleIncident.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}incident of ${input.service ?? 'all'} in ${input.system} ${input.environment}`,
    details: details(handleIncident.description, { ...fields, service, title, alert, 'asked by': input.requestedBy }),
  };
}

const ORDERS = { acknowledge: acknowledgeSchema, setSeverity: setSeveritySchema, resolve: resolveSchema } as const;

/** `incident ack | severity | resolve`: an Update, whose answer is shown. */
export function tell(
  { out, me, withSession }: Context,
  name: keyof typeof ORDERS,
  id: string,
  more: { reason?: string | undefined; severity?: string | undefined },
): Promise<ExitCode> {
  return withSession(async (session) => {
    const payload = checkMessage(ORDERS[name], name, given({ by: me, ...more }));
    await describeOpenRun(session, id);
    const { accepted, message } = await tellIncident(session, id, name, payload);
    if (!accepted) throw new CliError('refused', message, `See its state: windlass status ${id}`);
    out.result({ id, accepted, message }, () => `${message}\nSee it: windlass status ${id}`);
    return EXIT.ok;
  });
}
