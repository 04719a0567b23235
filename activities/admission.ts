import { freezeAt } from '../src/calendar/freezes.ts';
import { freezesIn } from '../src/catalog/freezes.ts';
import { compileEnvironment } from '../src/catalog/slice.ts';
import { changeControlId, type ChangeControlState } from '../src/contracts/change-control.ts';
import type { FreezeRule } from '../src/contracts/freeze.ts';
import type { Place } from '../src/contracts/scalars.ts';
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
     * Whether a change may begin at a moment: by the freezes of the catalog and those that people have started. The
     * answer is kept in the history, because the time zones of the next machine that replays it may be newer.
     * @param at of the workflow's clock; it may be a moment to come
     * @throws UnknownSystem, UnknownEnvironment, CatalogInvalid, Unavailable
     */
    async admitChange({ at, kind, ...place }: Place & ChangeRequest & { at: number }): Promise<Admission> {
      const loaded = await currentCatalog(catalog);
      const { loaded: system } = asFailure(() => compileEnvironment(loaded, place));
      const rules = [...freezesIn(system.catalog, place.environment), ...(await started(place))];
      return admit({ kind }, at, { closures: freezeClosures(kind, (each) => freezeAt(rules, each, at)) });
    },
  };

  /** What nobody has asked for yet has no change control, and so no freeze was started. */
  async function started({ system, environment }: Place): Promise<FreezeRule[]> {
    const id = changeControlId({ system, environment });
    const state = await queryRunning<ChangeControlState>(temporal, id, 'state', ANSWER_MS);
    return startedRules(state?.freezes ?? []);
  }
}

export type AdmissionActivities = ReturnType<typeof createAdmissionActivities>;
