import { isFailure } from '../src/adapters/failure.ts';
import { queryPrometheus } from '../src/adapters/prometheus.ts';
import { queryRunning, updateWithStart } from '../src/adapters/temporal.ts';
import { compileBudget } from '../src/catalog/budgets.ts';
import type { BudgetMessage } from '../src/contracts/budget-messages.ts';
import { changeControl, type ChangeControlState } from '../src/contracts/change-control.ts';
import type { CatalogSlo } from '../src/contracts/error-budget.ts';
import type { Place } from '../src/contracts/scalars.ts';
import type { BudgetSlice, SloMeasurement } from '../src/contracts/watch-error-budget.ts';
import type { BudgetReply, BudgetState } from '../src/domain/budget/state.ts';
import { fillQuery } from '../src/domain/release/query.ts';
import { asFailure, currentCatalog } from './catalog.ts';
import type { Dependencies } from './dependencies.ts';

/** Less than the start-to-close timeout, so that its own message is the one that is seen. */
const ANSWER_MS = 8000;

export function createErrorBudgetActivities(deps: Pick<Dependencies, 'catalog' | 'temporal' | 'taskQueue'>) {
  return {
    /** What the watch of an error budget needs of the catalog. @throws UnknownErrorBudget; as `loadEnvironment` */
    async loadErrorBudget(at: Place): Promise<BudgetSlice> {
      const catalog = await currentCatalog(deps.catalog);
      return asFailure(() => compileBudget(catalog, at));
    },

    /**
     * Measures every objective at one moment. One that cannot be measured says why in its `error`, and fails nothing:
     * what is unknown is a result too. Reads only.
     * @param request.at milliseconds since the epoch
     */
    async measureErrorBudget({ slice, at }: { slice: BudgetSlice; at: number }): Promise<SloMeasurement[]> {
      return Promise.all(Object.entries(slice.budget.slos).map(([slo, spec]) => measure(slice, slo, spec, at)));
    },

    /**
     * Tells change control, which is started by the first who asks. Effect: keyed, a repeated message has none.
     * @throws InvalidInput, Unavailable
     */
    reportErrorBudget({ at, message }: { at: Place; message: BudgetMessage }): Promise<BudgetReply> {
      return updateWithStart<BudgetReply>(deps.temporal, {
        workflowType: changeControl.procedure,
        workflowId: changeControl.workflowId(at),
        taskQueue: deps.taskQueue,
        input: at,
        update: 'budget',
        updateId: message.requestId,
        argument: message,
        timeoutMs: ANSWER_MS,
      });
    },

    /** What change control knows of it; undefined when it knows nothing or does not run. @throws Unavailable */
    async readErrorBudget(at: Place): Promise<{ budget?: BudgetState }> {
      const id = changeControl.workflowId(at);
      const state = await queryRunning<ChangeControlState>(deps.temporal, id, 'state', ANSWER_MS);
      return state?.budget ? { budget: state.budget } : {};
    },
  };
}

async function measure(slice: BudgetSlice, slo: string, spec: CatalogSlo, at: number): Promise<SloMeasurement> {
  try {
    const [errorRatio, recentErrorRatio] = await Promise.all([
      ratioOf(slice, spec, spec.window, at),
      ratioOf(slice, spec, spec.burnWindow, at),
    ]);
    if (errorRatio === undefined) return { slo, error: 'Prometheus has no data of it' };
    return { slo, errorRatio, ...(recentErrorRatio === undefined ? {} : { recentErrorRatio }) };
  } catch (error) {
    if (isFailure(error, 'InvalidInput', 'Forbidden', 'Unavailable'))
      return { slo, error: error.message.slice(0, 500) };
    throw error;
  }
}

/** Part that was bad, 0 to 1; undefined without data. A ratio that is none is no measurement. */
async function ratioOf(
  { prometheus, namespace }: BudgetSlice,
  { errorRatio, good, total }: CatalogSlo,
  windowMs: number,
  at: number,
): Promise<number | undefined> {
  const ask = (query: string) =>
    queryPrometheus(prometheus!, fillQuery(query, { namespace, window: `${Math.round(windowMs / 1000)}s` }), at);
  const ratio = errorRatio === undefined ? await badOf(ask(good!), ask(total!)) : await ask(errorRatio);
  return ratio !== undefined && Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : undefined;
}

async function badOf(
  asked: Promise<number | undefined>,
  askedOfAll: Promise<number | undefined>,
): Promise<number | undefined> {
  const [good, total] = await Promise.all([asked, askedOfAll]);
  return good === undefined || total === undefined || total === 0 ? undefined : 1 - good / total;
}
