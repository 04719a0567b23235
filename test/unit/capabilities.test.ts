import { createActivities, createActivitiesOf } from '../../activities/index.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { CAPABILITIES, capabilityOf, queueOf, ROUTABLE, type Capability } from '../../src/domain/capabilities.ts';
import { routingGaps } from '../../worker/routing-gaps.ts';

// Making the activities asks their dependencies for nothing.
const deps = {} as Dependencies;
const namesOf = (capability: Capability) => Object.keys(createActivitiesOf(deps, [capability])).sort();
const registered = Object.keys(createActivities(deps)).sort();

test('every activity belongs to exactly one capability', () => {
  expect(CAPABILITIES.flatMap(namesOf).sort()).toEqual(registered);
  for (const capability of CAPABILITIES)
    expect(namesOf(capability).map((name) => [name, capabilityOf(name)])).toEqual(
      namesOf(capability).map((name) => [name, capability]),
    );
});

test('a worker makes the activities of its capabilities only', () => {
  expect(Object.keys(createActivitiesOf(deps, ['notify', 'operate'])).sort()).toEqual(
    ['notify', 'pollAction', 'planAction', 'planRunbook', 'runAction'].sort(),
  );
  expect(Object.keys(createActivitiesOf(deps, CAPABILITIES)).sort()).toEqual(registered);
});

test('what reads the catalog is never routed by it', () => {
  const elsewhere = Object.fromEntries([...ROUTABLE, 'core'].map((each) => [each, `queue-${each}`]));
  for (const name of registered.filter((each) => each.startsWith('load')))
    expect([name, queueOf(name, elsewhere)]).toEqual([name, undefined]);
  expect(queueOf('switchTraffic', elsewhere)).toBe('queue-deploy');
});

test('what has no queue of its own stays on that of the workflow', () => {
  expect(queueOf('switchTraffic', {})).toBeUndefined();
  expect(queueOf('notify', { deploy: 'prod-deploy' })).toBeUndefined();
  expect(queueOf('acquireLease', { deploy: 'prod-deploy' })).toBeUndefined();
  expect(queueOf('somethingElse', { deploy: 'prod-deploy' })).toBeUndefined();
});

describe('what nobody would carry out', () => {
  const catalog = (environments: object): Catalog =>
    ({ systems: new Map([['shop', { catalog: { environments } }]]) }) as unknown as Catalog;

  test('is nothing when the worker does everything, or the catalog sends the rest elsewhere', () => {
    const worker = { capabilities: CAPABILITIES, taskQueue: 'windlass' };
    expect(routingGaps(catalog({ production: {} }), worker)).toEqual([]);
    const taskQueues = { deploy: 'a', backup: 'b', operate: 'c', notify: 'd' };
    expect(routingGaps(catalog({ production: { taskQueues } }), { ...worker, capabilities: ['core'] })).toEqual([]);
  });

  test('is named by system, environment and what to say in the catalog', () => {
    const worker = { capabilities: ['core', 'notify'] as Capability[], taskQueue: 'windlass' };
    const taskQueues = { deploy: 'prod-deploy', backup: 'windlass' };
    expect(routingGaps(catalog({ production: { taskQueues } }), worker)).toEqual([
      'shop production: nobody carries out backup, operate, because workers of windlass do not: name the queues of those that do in environments.production.taskQueues',
    ]);
  });
});
