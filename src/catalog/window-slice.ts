import { openingDue, openingNow, stateAt } from '../calendar/openings.ts';
import { overlapOf } from '../calendar/overlap.ts';
import type { MaintenanceWindowInput, WindowSlice } from '../contracts/maintenance-window.ts';
import type { CatalogWindow } from '../contracts/window.ts';
import { formatDuration } from '../domain/duration.ts';
import { changesOf } from '../domain/runbook/steps.ts';
import type { Catalog } from './catalog.ts';
import { compileDatabaseSlice } from './database-slice.ts';
import { compileEnvironment, own, unknown, withinBounds } from './slice.ts';

export type WindowRequest = Pick<MaintenanceWindowInput, 'system' | 'environment' | 'window' | 'when'>;

/**
 * What a window needs of the catalog, and when it is.
 * @param at milliseconds since the epoch
 * @throws CatalogError as `compileEnvironment`; UnknownWindow; CatalogInvalid when the slice is over 128 KiB
 */
export function compileWindow(catalog: Catalog, request: WindowRequest, at: number): WindowSlice {
  const { system, environment: place, window: name } = request;
  const { loaded, environment } = compileEnvironment(catalog, request);
  const { windows, services, runbooks } = loaded.catalog;
  const here = Object.entries(windows).filter(([, { environments }]) => environments.includes(place));
  const spec = own(Object.fromEntries(here), name);
  if (!spec) throw unknown('UnknownWindow', `window ${name}`, `${place} of ${system}`, new Map(here).keys());
  const { opening, closed } = openingFor(spec, request.when, at);
  const overlap = overlapOf(name, opening, windows, place);
  const all = [spec, ...overlap.included.map((each) => windows[each]!)];
  const work = {
    before: all.flatMap(({ before }) => before),
    tasks: all.flatMap(({ tasks }) => tasks),
    after: all.flatMap(({ after }) => after),
  };
  const databases = [...new Set(all.flatMap(({ backups }) => backups))];
  const verifies = [...new Set(all.flatMap((each) => each.verifies))];
  const sliceOf = (database: string) => compileDatabaseSlice(catalog, { system, environment: place, database });
  const changed = Object.values(work)
    .flat()
    .flatMap(({ runbook }) => changesOf(runbook, runbooks))
    .map((scope) => (scope === 'service' ? spec.service : scope));
  return withinBounds(`window ${name}`, {
    ...environment,
    window: name,
    spec,
    service: { service: spec.service, spec: services[spec.service]! },
    work,
    included: overlap.included,
    databases: databases.map(sliceOf),
    verifies: verifies.map(sliceOf),
    scopes: [
      ...new Set([spec.service, ...[...databases, ...verifies].map((each) => `database/${each}`), ...changed]),
    ].sort(),
    opening,
    // One that is opened by hand does what it is asked for.
    ...(overlap.coveredBy && request.when === 'scheduled' ? { coveredBy: overlap.coveredBy } : {}),
    ...(closed ? { closed } : {}),
  });
}

function openingFor(spec: CatalogWindow, when: WindowRequest['when'], at: number) {
  if (when === 'now') return { opening: openingNow(spec, at) };
  const due = openingDue(spec, at);
  if (due && at <= due.lastStartAt) return { opening: due };
  const { opening } = stateAt(spec, Math.max(at, due?.closesAt ?? at));
  const opens = new Date(opening.opensAt).toISOString();
  const why = due
    ? `its last task may begin ${formatDuration(spec.cutoff)} before its end, at ${new Date(due.lastStartAt).toISOString()}, and that is over`
    : `it does not open on this date in ${spec.zone}`;
  return { opening, closed: `${why}; it opens next at ${opens}. Outside of the calendar: "when": "now"` };
}
