import type { CatalogWindow, Opening } from '../contracts/window.ts';
import { openingsWithin } from './openings.ts';

type Windows = Readonly<Record<string, CatalogWindow>>;

/**
 * What becomes of windows that would be open together in an environment, where one of them includes the other: it does
 * the tasks of both, and the other one stays closed. Both decide it by the calendar alone, so neither waits for the
 * other and nothing is done twice or lost. Windows that do not include each other queue for the lease.
 */
export function overlapOf(
  name: string,
  opening: Opening,
  windows: Windows,
  environment: string,
): { included: string[]; coveredBy?: string } {
  const others = Object.entries(windows).filter(
    ([other, { environments }]) => other !== name && environments.includes(environment),
  );
  const included = others.filter(([other, window]) => {
    if (!windows[name]!.includes.includes(other)) return false;
    return near(window, opening).some(({ opensAt }) => opensAt >= opening.opensAt && opensAt < opening.closesAt);
  });
  const covering = others.find(
    ([, window]) =>
      window.includes.includes(name) &&
      near(window, opening).some(({ opensAt, closesAt }) => opening.opensAt >= opensAt && opening.opensAt < closesAt),
  );
  return { included: included.map(([other]) => other), ...(covering ? { coveredBy: covering[0] } : {}) };
}

const DAY_MS = 86_400_000;
/** A window lasts a day at most. */
const near = (window: CatalogWindow, { opensAt }: Opening): Opening[] =>
  openingsWithin(window, opensAt - 2 * DAY_MS, 5);
