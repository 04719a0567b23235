import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import type { Stage } from '../support/acceptance-stage.ts';

// The new color answers /health through its preview Service before anybody else sees it. Here it is that answer which
// decides: there are no Jobs.
let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({ subject: 'health', stages: 6, variants: { brisk: BRISK } });
}, 120_000);
afterAll(() => acceptance?.close());

/** Releases v2, whose health answer has these fields instead of the true ones, and returns why it was stopped. */
async function stoppedBy(stage: Stage): Promise<string> {
  const load = await stage.load(10);
  const ending = await (await stage.deployApproved('v2')).ending();
  expect(ending).toMatchObject({ ok: false, type: 'SmokeFailed' });

  const created = (await stage.changes()).filter(
    ({ verb, objectRef }) => verb === 'create' && objectRef.resource === 'deployments',
  );
  expect(created).toHaveLength(1);
  expect(Object.keys(await stage.deployments())).toEqual(['agent-system']);
  const { versions, failures } = await load.stop();
  expect({ failures, versions: Object.keys(versions) }).toEqual({ failures: [], versions: ['v1'] });
  return ending.ok ? '' : ending.message;
}
const lying = (health: object) => ({ service: 'brisk', faults: { v2: { health } } });

test.concurrent(
  'S-07.1 accepts an answer with status, version, uptime, timestamp and the four named checks, and the release goes on',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      expect(await stage.release('v2')).toMatchObject({ outcome: 'released' });
      const answer = (await (await fetch(`${stage.url}health`)).json()) as Record<string, unknown>;
      expect(answer).toMatchObject({
        status: 'healthy',
        version: 'v2',
        uptime: expect.any(Number),
        checks: { database: 'healthy', redis: 'healthy', agents: 'healthy', external_apis: 'healthy' },
      });
      expect(Math.abs(Date.now() - Date.parse(answer['timestamp'] as string))).toBeLessThan(60_000);
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  'S-07.2 names every check that is not healthy and stops the release',
  () =>
    acceptance.stage(
      lying({ status: 'unhealthy', checks: { database: 'healthy', redis: 'unhealthy', agents: 'degraded' } }),
      async (stage) => {
        const why = await stoppedBy(stage);
        expect(why).toContain('status is "unhealthy"');
        expect(why).toContain('check redis is "unhealthy"');
        expect(why).toContain('check agents is "degraded"');
        expect(why).toContain('check external_apis is missing');
        expect(why).not.toContain('check database');
      },
    ),
  180_000,
);

test.concurrent(
  'S-07.3 stops the release when the version is not the one deployed',
  () =>
    acceptance.stage(lying({ version: 'v1' }), async (stage) => {
      expect(await stoppedBy(stage)).toContain('version is v1, expected v2');
    }),
  180_000,
);

test.concurrent(
  'S-07.4 stops the release when the timestamp is stale',
  () =>
    acceptance.stage(lying({ timestamp: new Date(Date.now() - 600_000).toISOString() }), async (stage) => {
      expect(await stoppedBy(stage)).toMatch(/timestamp "[^"]+" is 6\d\d s old: stale/);
    }),
  180_000,
);

test.concurrent(
  'S-07.5 stops the release when the answer does not have the shape of the contract',
  () =>
    acceptance.stage(lying({ uptime: 'long', version: null, checks: ['redis'] }), async (stage) => {
      const why = await stoppedBy(stage);
      expect(why).toContain('uptime is "long", expected seconds');
      expect(why).toContain('version is missing');
      expect(why).toContain('checks are missing');
    }),
  180_000,
);
