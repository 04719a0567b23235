import { compileWindow, type WindowRequest } from '../src/catalog/window-slice.ts';
import type { WindowSlice } from '../src/contracts/maintenance-window.ts';
import { asFailure, currentCatalog } from './catalog.ts';
import type { Dependencies } from './dependencies.ts';

export function createWindowActivities(deps: Pick<Dependencies, 'catalog'>) {
  return {
    /**
     * What a window needs of the catalog, and when it is: decided here and kept in the history, because the time zones of
     * the next machine that replays it may be newer. @param request.at of the workflow's clock
     * @throws UnknownSystem, UnknownEnvironment, UnknownWindow, UnknownDatabase, CatalogInvalid
     */
    async loadWindow({ at, ...request }: WindowRequest & { at: number }): Promise<WindowSlice> {
      const catalog = await currentCatalog(deps.catalog);
      return asFailure(() => compileWindow(catalog, request, at));
    },
  };
}
