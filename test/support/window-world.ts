import { openingNow } from '../../src/calendar/openings.ts';
import type { WindowSlice } from '../../src/contracts/maintenance-window.ts';
import { maintenance } from '../../src/contracts/window.ts';
import { databaseActivities, databaseWorld } from './database-world.ts';
import { slice as serviceSlice } from './live.ts';
import { runbookActivities, worldOf, type RunbookWorld } from './runbook.ts';

const HOUR_MS = 3_600_000;

/** Runbooks that a window does: each notes or sets one thing. */
const RUNBOOKS = `
look: { description: Looks, steps: [{ name: see, action: look, with: { key: check } }] }
patch: { description: Patches, changes: [service], steps: [{ name: set, action: set, with: { key: patch, value: 2 }, undo: own }] }
tidy: { description: Tidies, changes: [service], steps: [{ name: set, action: set, with: { key: tidy, value: 1 } }] }
long:
  description: Takes three hours
  changes: [service]
  steps: [{ name: set, action: set, with: { key: long, value: 1 }, undo: own }, { wait: 3h }]
`;

export interface WindowWorld extends RunbookWorld {
  /** As in a catalog file, over the one of the tests. */
  window: object;
  /** Changes what `loadWindow` answers. */
  slice: (slice: WindowSlice) => WindowSlice;
  /** How long after the start it opens. */
  opensAfterMs: number;
  /** Between asking for a lease and its grant the test server's time moves by a wait of the test. */
  lease: 'granted' | 'queued';
  /** Makes `runAction` of maintenance mode fail, used up from the front. */
  offFailures: Error[];
  /** What the test restore of a backup finds, where the window verifies one. */
  backupFaults: string[];
}

export const windowWorld = (over: Partial<WindowWorld> = {}): WindowWorld => ({
  ...worldOf(RUNBOOKS),
  window: {},
  slice: (slice) => slice,
  opensAfterMs: 2 * HOUR_MS,
  lease: 'granted',
  offFailures: [],
  backupFaults: [],
  ...over,
});

export function windowActivities(world: WindowWorld): Record<string, (argument: never) => Promise<unknown>> {
  const runbooks = runbookActivities(world);
  const databases = databaseActivities(databaseWorld({ log: world.log, faults: world.backupFaults }));
  const mode: Record<string, string> = { showMaintenancePage: 'mode on', hideMaintenancePage: 'mode off' };
  return {
    ...databases,
    ...runbooks,
    loadWindow: async ({ at }: { at: number }): Promise<WindowSlice> => {
      const { policies: _, service, spec: serviceSpec, ...environment } = serviceSlice();
      const spec = maintenance.parse({
        description: 'A test',
        environments: ['local'],
        service,
        zone: 'UTC',
        opens: { weekday: 'sunday', at: '02:00' },
        duration: '2h',
        mode: {
          on: { action: 'showMaintenancePage', with: {} },
          off: { action: 'hideMaintenancePage', with: {} },
        },
        before: [{ runbook: 'look' }],
        tasks: [{ runbook: 'patch' }, { runbook: 'tidy' }],
        after: [{ runbook: 'look' }],
        notify: ['ops'],
        ...world.window,
      });
      const { before, tasks, after } = spec;
      return world.slice({
        ...environment,
        ...{ window: 'weekly', spec, service: { service, spec: serviceSpec }, work: { before, tasks, after } },
        ...{
          included: [],
          databases: [databaseWorld().slice],
          verifies: spec.verifies.map(() => databaseWorld().slice),
          scopes: [service],
        },
        opening: openingNow(spec, at + world.opensAfterMs),
      });
    },
    planAction: async (call: { action: string }) =>
      mode[call.action] ? { lines: ['traffic to the page'] } : runbooks['planAction']!(call as never),
    runAction: async (call: { action: string }) => {
      const what = mode[call.action];
      if (!what) return runbooks['runAction']!(call as never);
      const failure = what === 'mode off' ? world.offFailures.shift() : undefined;
      if (failure) throw failure;
      world.log.push(what);
      await world.during?.(what);
      return { changed: true };
    },
    acquireLease: async (request: never) => {
      if (world.lease === 'granted') return runbooks['acquireLease']!(request);
      world.log.push('queued');
      const behind = { workflowId: 'deploy/1', firstRunId: 'r', procedure: 'deployRelease', requestedBy: 'ana' };
      return { status: 'queued', position: 1, behind: { ...behind, summary: 'shop v3' } };
    },
    keepEvidence: async ({ key, body }: { key: string; body: string }) => {
      world.log.push('report');
      return { uri: `s3://evidence/${key}`, sha256: '0', bytes: body.length, contentType: 'application/json' };
    },
  };
}
