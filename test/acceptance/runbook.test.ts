import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import type { Stage } from '../support/acceptance-stage.ts';

const DEPLOYMENT = 'agent-system';

/** Runbooks of a story: `\${…}` reaches the catalog as it is. */
const runbooks = {
  'scale-out': {
    description: 'More replicas',
    changes: ['service'],
    parameters: { replicas: { type: 'int', description: 'How many' } },
    steps: [
      {
        name: 'scale',
        action: 'scaleWorkload',
        with: { name: DEPLOYMENT, replicas: '${parameters.replicas}' },
        undo: 'own',
      },
      {
        name: 'ready',
        until: {
          action: 'describeWorkload',
          with: { name: DEPLOYMENT },
          is: 'output.rolledOut && output.ready == parameters.replicas',
          every: '1s',
          within: '90s',
          holdsFor: '3s',
        },
      },
    ],
  },
  asked: {
    description: 'More replicas for a while, when people agree',
    changes: ['service'],
    steps: [
      { gate: { name: 'more', asks: 'More of ${catalog.service}?', roles: ['engineering-lead'] } },
      {
        action: 'scaleWorkload',
        with: { name: DEPLOYMENT, replicas: 2 },
        undo: 'own',
        undoWhen: 'end',
      },
      { gate: { name: 'keep', kind: 'confirmation', asks: 'Seen?', roles: ['engineering-lead'] } },
    ],
  },
  broken: {
    description: 'Waits for what does not come',
    changes: ['service'],
    steps: [
      { name: 'scale', action: 'scaleWorkload', with: { name: DEPLOYMENT, replicas: 2 }, undo: 'own' },
      {
        until: {
          action: 'describeWorkload',
          with: { name: DEPLOYMENT },
          is: 'output.ready > 100',
          every: '1s',
          within: '3s',
        },
      },
    ],
  },
};

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'runbook',
    stages: 4,
    variants: { brisk: BRISK },
    catalog: { runbooks },
  });
}, 120_000);
afterAll(() => acceptance?.close());

const replicasOf = async (stage: Stage): Promise<unknown> =>
  (await stage.namespace.find('Deployment', DEPLOYMENT))?.spec?.['replicas'];

async function run(stage: Stage, runbook: string, ...flags: string[]) {
  const [system, environment, service] = stage.place as [string, string, string];
  const { code, json } = await acceptance.cli(
    'kim',
    'run',
    system,
    environment,
    runbook,
    '--service',
    service,
    ...flags,
  );
  if (code !== 0) throw new Error(`windlass run ended with ${code}: ${JSON.stringify(json)}`);
  return stage.get(json['id'] as string, json['runId'] as string);
}

test.concurrent(
  'a runbook is planned without touching anything, and then scales a Deployment until its pods are ready',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = (await replicasOf(stage)) as number;
      const more = String(before + 1);
      const [system, environment, service] = stage.place as [string, string, string];
      const planned = await acceptance.cli(
        'kim',
        ...['plan', 'run', system, environment, 'scale-out', '--service', service, '--parameter', `replicas=${more}`],
      );
      expect(planned.json).toMatchObject({
        outcome: 'planned',
        plan: {
          changes: [{ name: 'scale (scaleWorkload)', why: `Deployment ${DEPLOYMENT}: ${before} → ${more} replicas` }],
        },
      });
      expect(await stage.changes()).toEqual([]);

      const ending = await (await run(stage, 'scale-out', '--parameter', `replicas=${more}`)).ending();
      expect(ending).toMatchObject({
        ok: true,
        result: { outcome: 'completed', steps: [{ step: 'scale' }, { step: 'ready', output: { ready: before + 1 } }] },
      });
      expect((await stage.deployments())[DEPLOYMENT]).toMatchObject({ ready: before + 1 });
    }),
  240_000,
);

test.concurrent(
  'a gate keeps a runbook from changing anything until people agree, and what is temporary is taken back at the end',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = await replicasOf(stage);
      const procedure = await run(stage, 'asked');
      const [gate] = await procedure.untilGatesOpen();
      expect(gate).toMatchObject({ name: 'more', asks: 'More of brisk?' });
      expect(await stage.changes()).toEqual([]);
      const by = 'eng-lead@agents.example.com';
      expect(await procedure.decide({ gate: 'more', by })).toMatchObject({ code: 'recorded' });

      await waitFor('the second gate', async () => (await procedure.gates()).some(({ name }) => name === 'keep'), {
        timeoutSeconds: 60,
      });
      expect(await replicasOf(stage)).toBe(2);
      expect(await procedure.decide({ gate: 'keep', by })).toMatchObject({ code: 'recorded' });
      expect(await procedure.ending()).toMatchObject({ ok: true, result: { outcome: 'completed' } });
      expect(await replicasOf(stage)).toBe(before);
    }),
  240_000,
);

test.concurrent(
  'a step whose deadline passes waits for a person, and an abort takes everything back',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = await replicasOf(stage);
      const procedure = await run(stage, 'broken');
      const stuck = await procedure.until('the rescue gate', ({ phase }) => phase === 'rescue');
      expect(stuck.lines.join()).toMatch(/"output.ready > 100" did not hold within 3 s/);
      expect(await replicasOf(stage)).toBe(2);

      await acceptance.cli('kim', 'abort', procedure.id, '--reason', 'acceptance test');
      expect(await procedure.ending()).toMatchObject({ ok: false, type: 'Aborted' });
      expect(await replicasOf(stage)).toBe(before);
    }),
  240_000,
);

test.concurrent(
  'what cannot start is refused with what is wrong, and nothing changes',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const refused = async (...flags: string[]) => {
        const ending = await (await run(stage, ...(flags as [string]))).ending();
        return ending.ok ? ending.result : `${ending.type}: ${ending.message}`;
      };
      expect(await refused('scale-in')).toMatch(
        /^UnknownRunbook: no runbook scale-in in .*; there is: asked, broken, scale-out/,
      );
      expect(await refused('scale-out')).toMatch(/^InvalidInput: .*missing parameter replicas \(a whole number\)/);
      expect(await refused('scale-out', '--parameter', 'replicas=many')).toMatch(
        /^InvalidInput: .*parameter replicas: expected a whole number, got "many"/,
      );
      expect(await stage.changes()).toEqual([]);
    }),
  240_000,
);
