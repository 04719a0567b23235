import type { TakenFrom } from '../../src/contracts/change-control.ts';
import { planLeftovers, planRollback } from '../../src/domain/release/rollback-plan.ts';
import { color, deployment, live, record } from '../support/live.ts';

const GREEN = { app: 'shop', version: 'green' };
const emergency = { mode: 'emergency' } as const;
const stoodDown: TakenFrom = {
  how: 'stood-down',
  holder: {
    workflowId: 'deploy/v3',
    firstRunId: 'r',
    procedure: 'deployRelease',
    requestedBy: 'ana',
    summary: 'shop v3',
  },
};
const released = live({
  selector: GREEN,
  deployments: [color('blue', 'v1'), color('green', 'v2')],
  releases: [record('v2', 'shop-green'), record('v1', 'shop-blue')],
});

describe('the plan of a rollback', () => {
  test('switches to the last good release when its pods still stand', () => {
    expect(planRollback(released, emergency)).toMatchObject({
      kind: 'switch',
      wait: false,
      record: { version: 'v1' },
      deployment: { name: 'shop-blue' },
    });
  });

  test('never takes a release for good that was still soaking or was rolled back', () => {
    const state = {
      ...released,
      releases: [
        record('v2', 'shop-green'),
        record('v1b', 'shop-blue', { outcome: 'rolled-back' }),
        record('v0', 'shop'),
      ],
    };
    expect(planRollback(state, emergency)).toMatchObject({ kind: 'redeploy', record: { version: 'v0' } });
  });

  test('redeploys a release whose pods are gone', () => {
    expect(planRollback({ ...released, deployments: [color('green', 'v2')] }, emergency)).toMatchObject({
      kind: 'redeploy',
      record: { version: 'v1' },
    });
  });

  test('redeploys a release whose color was taken by another image or scaled to zero', () => {
    expect(
      planRollback({ ...released, deployments: [color('blue', 'v9'), color('green', 'v2')] }, emergency).kind,
    ).toBe('redeploy');
    expect(
      planRollback(
        { ...released, deployments: [color('blue', 'v1', { replicas: 0, readyReplicas: 0 }), color('green', 'v2')] },
        emergency,
      ).kind,
    ).toBe('redeploy');
  });

  test('in an emergency takes a partly ready color that has more ready pods than the bad one, and says so', () => {
    const state = {
      ...released,
      deployments: [color('blue', 'v1', { readyReplicas: 2 }), color('green', 'v2', { readyReplicas: 1 })],
    };
    expect(planRollback(state, emergency)).toMatchObject({
      kind: 'switch',
      wait: false,
      partlyReady: expect.stringContaining('2 of 3 pods of shop-blue') as string,
    });
    expect(planRollback(state, { mode: 'planned' })).toMatchObject({ kind: 'switch', wait: true });
  });

  test('waits for a partly ready color that is no better', () => {
    const state = { ...released, deployments: [color('blue', 'v1', { readyReplicas: 1 }), color('green', 'v2')] };
    expect(planRollback(state, emergency)).toMatchObject({ kind: 'switch', wait: true });
  });

  test('stays where traffic is when the interrupted release had not switched', () => {
    const state = live({
      selector: { app: 'shop', version: 'blue' },
      deployments: [color('blue', 'v1'), color('green', 'v3')],
      releases: [record('v1', 'shop-blue'), record('v0', 'shop-green')],
    });
    expect(planRollback(state, emergency, stoodDown)).toMatchObject({ kind: 'stay', record: { version: 'v1' } });
  });

  test('stays on an adopted release that nobody recorded when the first release was interrupted', () => {
    expect(
      planRollback(
        live({
          deployments: [deployment(), color('green', 'v2')],
          selector: { app: 'shop', 'pod-template-hash': 'aaa' },
        }),
        emergency,
        stoodDown,
      ),
    ).toMatchObject({ kind: 'stay', record: { version: 'v1', deployment: 'shop' } });
  });

  test('goes back when the interrupted release had switched', () => {
    const state = {
      ...released,
      releases: [record('v2', 'shop-green', { outcome: 'soaking' }), record('v1', 'shop-blue')],
    };
    expect(planRollback(state, emergency, stoodDown)).toMatchObject({ kind: 'switch', record: { version: 'v1' } });
  });

  test('goes to the version that is asked for, and refuses one that was never recorded', () => {
    expect(planRollback(released, { ...emergency, to: 'v2' })).toMatchObject({ kind: 'stay' });
    expect(planRollback(released, { ...emergency, to: 'v7' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'unknown-release', message: expect.stringContaining('v2 (good), v1 (good)') as string },
    });
  });

  test('refuses when no earlier good release is known', () => {
    expect(planRollback(live(), emergency)).toMatchObject({ kind: 'refused', refusal: { code: 'no-good-release' } });
  });
});

describe('what a rollback leaves', () => {
  test('deletes a color that was rolled back or never served well, and retires a good one', () => {
    const state = live({
      selector: { app: 'shop' },
      deployments: [deployment(), color('green', 'v2'), color('blue', 'v3')],
      releases: [record('v3', 'shop-blue', { outcome: 'rolled-back' }), record('v2', 'shop-green')],
    });
    expect(planLeftovers(state, 'shop')).toEqual({
      remove: [{ deployment: 'shop-blue', uid: 'uid-blue' }],
      retire: [{ deployment: 'shop-green', uid: 'uid-green', version: 'v2' }],
    });
  });

  test('widens the selector of an adopted Service only when no color stays', () => {
    const narrowed = { app: 'shop', 'pod-template-hash': 'aaa' };
    const state = live({
      selector: narrowed,
      adoptedSelector: { app: 'shop' },
      deployments: [deployment(), color('green', 'v2')],
    });
    expect(planLeftovers(state, 'shop').widen).toEqual({ from: narrowed, to: { app: 'shop' } });
    const kept = { ...state, releases: [record('v2', 'shop-green')] };
    expect(planLeftovers(kept, 'shop').widen).toBeUndefined();
  });

  test('never touches a Deployment that no release made', () => {
    expect(planLeftovers(live({ deployments: [deployment(), deployment({ name: 'other' })] }), 'shop')).toEqual({
      remove: [],
      retire: [],
    });
  });
});
