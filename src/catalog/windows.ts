import { leadOf } from '../calendar/schedule.ts';
import { isZone } from '../calendar/openings.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';
import type { CatalogWindow, WindowTask } from '../contracts/window.ts';
import { formatDuration } from '../domain/duration.ts';
import { fillParameters } from '../domain/runbook/parameters.ts';
import { changesOf } from '../domain/runbook/steps.ts';
import { callProblems } from './action-calls.ts';
import type { Problem } from './issues.ts';
import { fault, noSuch } from './problems.ts';

/** A window that is open longer is no window. */
const LONGEST_MS = 86_400_000;

/** Faults of the windows of a system. */
export function windowProblems(catalog: SystemCatalog): Problem[] {
  return Object.entries(catalog.windows).flatMap(([name, window]) => [
    ...referenceFaults(name, window, catalog),
    ...timeFaults(name, window),
    ...(['before', 'tasks', 'after'] as const).flatMap((part) =>
      window[part].flatMap((task, index) => taskFaults(task, catalog, ['windows', name, part, index])),
    ),
    ...(window.mode
      ? (['on', 'off'] as const).flatMap((way) =>
          callProblems(window.mode![way], { scope: {}, earlier: [], named: [] }, ['windows', name, 'mode', way]),
        )
      : []),
  ]);
}

function referenceFaults(name: string, window: CatalogWindow, catalog: SystemCatalog): Problem[] {
  const path = ['windows', name];
  const unknown = (what: string, each: string, known: object, at: PropertyKey[]): Problem[] =>
    Object.hasOwn(known, each) ? [] : [fault([...path, ...at], noSuch(what, each, Object.keys(known)))];
  return [
    ...unknown('service', window.service, catalog.services, ['service']),
    ...window.environments.flatMap((each, index) =>
      unknown('environment', each, catalog.environments, ['environments', index]),
    ),
    ...window.notify.flatMap((each, index) => unknown('channel', each, catalog.channels, ['notify', index])),
    ...window.includes.flatMap((each, index) => [
      ...unknown('window', each, catalog.windows, ['includes', index]),
      ...includeFaults(name, window, each, catalog).map((message) => fault([...path, 'includes', index], message)),
    ]),
    ...(['backups', 'verifies'] as const).flatMap((part) =>
      window[part].flatMap((each, index) => [
        ...unknown('database', each, catalog.databases, [part, index]),
        ...(Object.hasOwn(catalog.databases, each) && !catalog.databases[each]!.backup
          ? [fault([...path, part, index], `database ${each} says under no "backup" how it is backed up`)]
          : []),
      ]),
    ),
  ];
}

function includeFaults(name: string, window: CatalogWindow, included: string, catalog: SystemCatalog): string[] {
  const other = Object.hasOwn(catalog.windows, included) ? catalog.windows[included] : undefined;
  if (!other) return [];
  if (other.includes.includes(name) || included === name) return [`expected windows that do not include each other`];
  if (other.service === window.service) return [];
  return [`expected a window of the same service ${window.service}, got one of ${other.service}`];
}

function timeFaults(name: string, window: CatalogWindow): Problem[] {
  const path = ['windows', name];
  const { zone, duration, cutoff, notice } = window;
  const problems: Problem[] = [];
  if (duration > LONGEST_MS) problems.push(fault([...path, 'duration'], 'expected a day at most'));
  if (cutoff >= duration)
    problems.push(
      fault(
        [...path, 'cutoff'],
        `expected a cutoff shorter than the window (${formatDuration(duration)}), got ${formatDuration(cutoff)}: no task could begin`,
      ),
    );
  if (!isZone(zone))
    return [
      ...problems,
      fault([...path, 'zone'], `expected UTC or a zone of the IANA database such as Europe/Paris, got "${zone}"`),
    ];
  if (notice > leadOf(window))
    problems.push(
      fault(
        [...path, 'notice'],
        `expected at most ${formatDuration(leadOf(window))}: it is started at 00:00 of the day it opens`,
      ),
    );
  return problems;
}

function taskFaults(task: WindowTask, { runbooks, databases }: SystemCatalog, path: PropertyKey[]): Problem[] {
  if (!Object.hasOwn(runbooks, task.runbook))
    return [fault([...path, 'runbook'], noSuch('runbook', task.runbook, Object.keys(runbooks)))];
  const strange = changesOf(task.runbook, runbooks).filter(
    (scope) => scope !== 'service' && !Object.hasOwn(databases, scope.replace('database/', '')),
  );
  return [
    ...fillParameters(runbooks[task.runbook]!.parameters, task.with).faults.map((message) =>
      fault([...path, 'with'], `${task.runbook}: ${message}`),
    ),
    ...strange.map((scope) => fault([...path, 'runbook'], `${task.runbook} changes ${scope}, which is no database`)),
  ];
}
