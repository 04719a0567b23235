import { needsLease } from '../actions/action.ts';
import { ACTIONS } from '../actions/index.ts';
import type { Catalog } from './catalog.ts';
import type { ActionFacts, RunbookSlice, RunRunbookInput } from '../contracts/run-runbook.ts';
import type { CatalogDatabase } from '../contracts/database.ts';
import type { CatalogRunbook } from '../contracts/runbook.ts';
import { fillParameters } from '../domain/runbook/parameters.ts';
import { changesOf, placedSteps, reachable } from '../domain/runbook/steps.ts';
import { outputTypeOf } from './action-types.ts';
import { CatalogError } from './errors.ts';
import { compileEnvironment, own, unknown, withinBounds } from './slice.ts';

/** What of its input a run's slice depends on. */
export type RunbookRequest = Pick<RunRunbookInput, 'system' | 'environment' | 'runbook' | 'service' | 'parameters'>;

/**
 * What a run of a runbook needs of the catalog, its parameters checked and filled in.
 * @throws CatalogError as `compileEnvironment`; UnknownRunbook, UnknownService; InvalidInput with every parameter that
 *   is wrong; CatalogInvalid when the slice is over 128 KiB
 */
export function compileRunbook(catalog: Catalog, request: RunbookRequest): RunbookSlice {
  const { system, runbook: name, service } = request;
  const { loaded, environment } = compileEnvironment(catalog, request);
  const { runbooks: all, services, databases, redis, policies } = loaded.catalog;
  const runbook = own(all, name);
  if (!runbook) throw unknown('UnknownRunbook', `runbook ${name}`, `system ${system}`, Object.keys(all));
  const spec = service === undefined ? undefined : own(services, service);
  if (service !== undefined && !spec) {
    throw unknown('UnknownService', `service ${service}`, `system ${system}`, Object.keys(services));
  }
  if (service === undefined && changesOf(name, all).includes('service')) {
    throw new CatalogError('InvalidInput', `runbook ${name} changes a service: expected "service" to name it`);
  }
  const { parameters, faults } = fillParameters(runbook.parameters, request.parameters);
  if (faults.length > 0) throw new CatalogError('InvalidInput', `runbook ${name} cannot start: ${faults.join('; ')}`);
  const runbooks = Object.fromEntries(reachable(name, all).map((each) => [each, all[each]!]));
  return withinBounds(`runbook ${name}`, {
    ...environment,
    ...(service !== undefined && spec ? { service: { service, spec } } : {}),
    runbook: name,
    runbooks,
    parameters,
    databases: named(inEnvironment(databases, environment.environment), environment.environment),
    redis: inEnvironment(redis, environment.environment),
    actions: factsOf(Object.values(runbooks)),
    notify: policies.runRunbook.notify,
  });
}

/** Those that are in this environment, with what they are there. */
function inEnvironment<Server, Entry extends { servers: Record<string, Server> }>(
  entries: Record<string, Entry>,
  environment: string,
): Record<string, Entry> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, entry]) => {
      const server = own(entry.servers, environment);
      return server === undefined ? [] : [[name, { ...entry, servers: { [environment]: server } }]];
    }),
  );
}

/** Each under the name that its server in this environment knows it by. */
function named(databases: Record<string, CatalogDatabase>, environment: string): Record<string, CatalogDatabase> {
  return Object.fromEntries(
    Object.entries(databases).map(([key, database]) => [
      key,
      { ...database, name: database.servers[environment]?.database ?? database.name },
    ]),
  );
}

function factsOf(runbooks: CatalogRunbook[]): Record<string, ActionFacts> {
  const named = new Set(
    runbooks
      .flatMap(({ steps }) => placedSteps(steps))
      .flatMap(({ step }) => ('action' in step ? step.action : 'until' in step ? step.until.action : [])),
  );
  return Object.fromEntries(
    [...ACTIONS.values()].map((action) => {
      const { name, changes, timeoutMs } = action;
      const output = named.has(name) ? outputTypeOf(name) : undefined;
      return [
        name,
        {
          changes: changes !== 'nothing',
          needsLease: needsLease(action),
          convergent: changes === 'convergent',
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          ...(output === undefined ? {} : { output }),
        },
      ];
    }),
  );
}
