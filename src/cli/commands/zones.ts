import { watchErrorBudget } from '../../contracts/watch-error-budget.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { renderZones } from '../render/zones.ts';
import type { StartRequest } from '../server/start.ts';
import { readZones } from '../server/zones.ts';
import { checkInput, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';
import { plan, type PlanFlags } from './plan.ts';
import { startAndWait, type WaitFlags } from './release.ts';

/** Flags of `budget measure` and `plan budget`. */
export interface BudgetFlags {
  system?: string;
  environment?: string;
}

type Places = (string | undefined)[];

/** `zones`: the zone of every error budget, or of those of one system or environment. */
export function zones({ out, withSession }: Context, [system, environment]: Places): Promise<ExitCode> {
  return withSession(async (session) => {
    const now = Date.now();
    const found = await readZones(session, given({ system, environment }), now);
    out.result(found, () => renderZones(found, now, out.paint));
    return EXIT.ok;
  });
}

export const measureBudget = (context: Context, places: Places, flags: BudgetFlags & WaitFlags): Promise<ExitCode> =>
  startAndWait(context, budgetRequest(places, flags, context.me, false), flags);

export const planBudget = (context: Context, places: Places, flags: BudgetFlags & PlanFlags): Promise<ExitCode> =>
  plan(context, budgetRequest(places, flags, context.me, true), flags.timeout);

function budgetRequest(
  places: Places,
  { system, environment }: BudgetFlags,
  me: string,
  planOnly: boolean,
): StartRequest {
  const fields = fillFields(['system', 'environment'], places, given({ system, environment }));
  const input = checkInput(watchErrorBudget, { ...fields, requestedBy: me, planOnly });
  return {
    procedure: watchErrorBudget.procedure,
    workflowId: idOf(watchErrorBudget.workflowId(input), planOnly),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}error budget of ${input.system} ${input.environment}`,
    details: details(watchErrorBudget.description, { ...fields, 'asked by': input.requestedBy }),
  };
}
