import { runRequest } from '../../src/cli/commands/run.ts';
import { CliError } from '../../src/cli/errors.ts';
import { renderPlan } from '../../src/cli/render/plan.ts';
import type { Plan } from '../../src/contracts/plan.ts';
import { windlass } from '../support/cli.ts';

const PLACES = ['shop', 'production', 'scale-out'];

describe('windlass run', () => {
  test('starts a runbook by places and flags', () => {
    const flags = { service: 'web', parameter: { replicas: '3' }, reason: 'sale', queue: true };
    expect(runRequest(PLACES, flags, 'kim', false)).toMatchObject({
      procedure: 'runRunbook',
      workflowId: 'runbook/shop/production/scale-out-web',
      input: {
        system: 'shop',
        environment: 'production',
        runbook: 'scale-out',
        service: 'web',
        parameters: { replicas: '3' },
        requestedBy: 'kim',
        reason: 'sale',
        onBusy: 'queue',
        planOnly: false,
      },
      summary: 'scale-out of web in shop production',
    });
  });

  test('plans under an id of its own', () => {
    const { workflowId, input } = runRequest(PLACES, {}, 'kim', true);
    expect(workflowId).toMatch(/^plan\/runbook\/shop\/production\/scale-out-/);
    expect(input).toMatchObject({ planOnly: true, parameters: {} });
  });

  test('says what is missing', () => {
    expect(() => runRequest(['shop'], {}, 'kim', false)).toThrow(CliError);
  });

  test('takes parameters one by one or several together, with any text as value', async () => {
    const words = [...PLACES, '--parameter', 'a=1', 'b=x=y', '--parameter', 'c='];
    const unusable = { TEMPORAL_CONFIG_FILE: import.meta.filename };
    const { code, out } = await windlass(['run', ...words, '--json'], { env: unusable });
    expect({ code, out: JSON.parse(out) }).toMatchObject({
      code: 1,
      out: { error: { code: 'configuration-invalid' } },
    });
  });

  test('refuses a parameter without a value', async () => {
    expect(await windlass(['run', ...PLACES, '--parameter', 'replicas'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected name=value') as string,
    });
  });

  test('shows the plan of a runbook', () => {
    const plan: Plan = {
      facts: [{ label: 'runbook', text: 'scale-out: More replicas' }],
      changes: [{ verb: 'run', kind: 'step', name: 'scale (scaleWorkload)', why: 'Deployment web: 2 → 3 replicas' }],
      refusals: [],
      warnings: ['step 2 (runJob) cannot be planned now: no Service yet'],
      gates: [],
      blastRadius: 'web in production of shop',
      reversibility: 'every change is taken back',
      expectedDurationMs: 60_000,
      digest: 'sha256:1',
    };
    const text = renderPlan(plan);
    for (const line of [
      'run step/scale (scaleWorkload): Deployment web: 2 → 3 replicas',
      'scale-out: More replicas',
      'step 2 (runJob) cannot be planned now: no Service yet',
      'web in production of shop',
      'about 1 min',
    ])
      expect(text).toContain(line);
  });
});

describe('windlass actions', () => {
  test('lists every action with what it does, without a server', async () => {
    const { code, out } = await windlass(['actions', 'list']);
    expect(code).toBe(0);
    expect(out).toMatch(/scaleWorkload +changes +Sets the replicas/);
    expect(out).toMatch(/describeWorkload +looks/);
  });

  test('shows parameters, output and a step that works', async () => {
    const { code, out } = await windlass(['actions', 'show', 'scaleWorkload']);
    expect(code).toBe(0);
    expect(out).toMatch(/replicas +integer +required/);
    expect(out).toMatch(/kind +Deployment \| StatefulSet +default "Deployment"/);
    expect(out).toContain('- action: scaleWorkload\n    with:\n      name: shop');
    expect(out).toContain('undo:       own');
  });

  test('gives the same as JSON', async () => {
    const { out } = await windlass(['actions', 'show', 'scaleWorkload', '--json']);
    expect(JSON.parse(out)).toMatchObject({ name: 'scaleWorkload', changes: 'convergent', planned: true });
  });

  test('suggests a name that is near', async () => {
    const { code, err } = await windlass(['actions', 'show', 'scaleWorklod']);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'windlass: There is no action scaleWorklod.\ndid you mean "scaleWorkload"?\n',
    });
  });
});
