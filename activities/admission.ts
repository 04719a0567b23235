import { freezeAt } from '../src/calendar/freezes.ts';
import { freezesIn } from '../src/catalog/freezes.ts';
import { compileEnvironment, own } from '../src/catalog/slice.ts';
import { changeControlId, type ChangeControlState } from '../src/contracts/change-control.ts';
import type { Place } from '../src/contracts/scalars.ts';
import { budgetClosures } from '../src/domain/budget/closures.ts';
import { admit, type Admission, type ChangeRequest } from '../src/domain/change/admission.ts';
import { freezeClosures, startedRules } from '../src/domain/change/freezes.ts';
import { queryRunning } from '../src/adapters/temporal.ts';
import { asFailure, currentCatalog } from './catalog.ts';
import type { Dependencies } from './dependencies.ts';

/** Less than the start-to-close timeout, so that its own message is the one that is seen. */
const ANSWER_MS = 4_000;

export function createAdmissionActivities({ catalog, temporal }: Pick<Dependencies, 'catalog' | 'temporal'>) {
  return {
    /**
     * Whether a change may begin at a moment: by the freezes of the catalog, those that people have started, and the zone
     * of the error budget. The answer is kept in the history, because the time zones of the next machine that replays it may be newer.
     * @param at of the workflow's clock; it may be a moment to come
     * @throws UnknownSystem, UnknownEnvironment, CatalogInvalid, Unavailable
     */
    async admitChange({
      at,
      system,
      environment,
      ...request
    }: Place & ChangeRequest & { at: number }): Promise<Admission> {
      const place = { system, environment };
      const loaded = await currentCatalog(catalog);
      const { catalog: known } = asFailure(() => compileEnvironment(loaded, place)).loaded;
      const state = await queryRunning<ChangeControlState>(temporal, changeControlId(place), 'state', ANSWER_MS);
      // What nobody has asked for yet has no change control, and so no freeze was started and nothing measured.
      const rules = [...freezesIn(known, environment), ...startedRules(state?.freezes ?? [])];
      // A zone whose budget was taken out of the catalog is not measured any more, and would last for ever.
      const budget = own(known.errorBudgets, environment) && state?.budget;
      const closures = [
        ...freezeClosures(request.kind, (each) => freezeAt(rules, each, at)),
        ...budgetClosures(budget, request, at),
      ];
      return admit(request, at, { closures });
    },
  };
}

export type AdmissionActivities = ReturnType<typeof createAdmissionActivities>;
