import { planRelease, type DraftPlan } from '../../src/domain/release/plan.ts';
import type { LiveService } from '../../src/domain/release/state.ts';
import { color, deployment, live, record, slice, target } from '../support/live.ts';

const IMAGE = 'registry.example.com/shop:v2';
const plan = (state: LiveService, over: Parameters<typeof slice>[0] = {}, image = IMAGE): DraftPlan =>
  planRelease({ slice: slice(over), target, image, version: /:([^:]+)$/.exec(image)![1]!, live: state });
const codes = (drafted: DraftPlan): string[] => drafted.refusals.map(({ code }) => code);

const onGreen = live({
  selector: { app: 'shop', version: 'green' },
  deployments: [color('green', 'v1')],
  releases: [record('v1', 'shop-green')],
});

describe('the plan of a release', () => {
  test('adopts a Service without a color: narrows it to the serving pods, then adds green', () => {
    const drafted = plan(live());
    expect(drafted.refusals).toEqual([]);
    expect(drafted.narrowTo).toEqual({ app: 'shop', 'pod-template-hash': 'aaa' });
    expect(drafted.from).toMatchObject({ deployment: 'shop', version: 'v1', selector: drafted.narrowTo });
    expect(drafted.to).toMatchObject({
      deployment: 'shop-green',
      color: 'green',
      selector: { app: 'shop', version: 'green' },
      replicas: 3,
    });
  });

  test('does not narrow a Service that is narrowed already', () => {
    const narrowed = live({ selector: { app: 'shop', 'pod-template-hash': 'aaa' }, adoptedSelector: { app: 'shop' } });
    const drafted = plan(narrowed);
    expect(drafted.narrowTo).toBeUndefined();
    expect(drafted.to.selector).toEqual({ app: 'shop', version: 'green' });
  });

  test('alternates the two colors', () => {
    expect(plan(onGreen).to).toMatchObject({ deployment: 'shop-blue', selector: { app: 'shop', version: 'blue' } });
    const onBlue = live({ selector: { app: 'shop', version: 'blue' }, deployments: [color('blue', 'v1')] });
    expect(plan(onBlue).to).toMatchObject({ deployment: 'shop-green' });
  });

  test('keeps the other labels of the selector and drops only color and hash', () => {
    const drafted = plan({
      ...onGreen,
      selector: { app: 'shop', tier: 'web', version: 'green' },
      deployments: [color('green', 'v1', { podLabels: { app: 'shop', tier: 'web', version: 'green' } })],
    });
    expect(drafted.to.selector).toEqual({ app: 'shop', tier: 'web', version: 'blue' });
  });

  test("starts green at blue's current replicas, with its autoscaler and disruption budget", () => {
    const drafted = plan(
      live({
        deployments: [
          deployment({
            replicas: 7,
            readyReplicas: 7,
            hpa: { name: 'shop', minReplicas: 2, maxReplicas: 10 },
            pdb: 'shop',
          }),
        ],
      }),
    );
    expect(drafted.to.replicas).toBe(7);
    expect(drafted).toMatchObject({ hpa: { name: 'shop', minReplicas: 2, maxReplicas: 10 }, pdb: 'shop' });
  });

  test('says that a color of an earlier release goes early', () => {
    const drafted = plan({ ...onGreen, deployments: [color('green', 'v1'), color('blue', 'v0')] });
    expect(drafted.retireEarly).toEqual({ deployment: 'shop-blue', uid: 'uid-blue', version: 'v0' });
    expect(drafted.warnings.join()).toContain('shop-blue (v0) still stands');
  });

  test('warns when the old pods do not drain', () => {
    expect(plan(live({ deployments: [deployment({ drains: false })] })).warnings.join()).toContain(
      'does not show that it drains',
    );
  });

  test('names the gates of the policy, the blast radius and how long undoing is a switch', () => {
    const drafted = plan(onGreen);
    expect(drafted.gates).toMatchObject([
      { name: 'lead', roles: ['lead'], quorum: 1, fourEyes: true, expiresAfterMs: 86_400_000 },
    ]);
    expect(drafted.blastRadius).toContain('3 replicas behind Service shop');
    expect(drafted.blastRadius).toContain('v1 good');
    expect(drafted.reversibility).toContain('1 d after the switch');
  });

  test.each<[string, LiveService, string]>([
    ['a Service without a selector', live({ selector: {} }), 'service-without-selector'],
    ['a Service whose pods no Deployment owns', live({ deployments: [] }), 'nothing-serves'],
    [
      'two Deployments behind one Service',
      live({ deployments: [deployment(), deployment({ name: 'other', uid: 'o' })] }),
      'several-workloads',
    ],
    [
      'a ReadWriteOnce volume',
      live({ deployments: [deployment({ hasPersistentVolumeOnce: true })] }),
      'volume-read-write-once',
    ],
    ['a host port', live({ deployments: [deployment({ hasHostPort: true })] }), 'host-port'],
    [
      'nothing to take over from',
      live({ deployments: [deployment({ replicas: 0, readyReplicas: 0 })] }),
      'scaled-to-zero',
    ],
    [
      'a quota without room for a second color',
      live({ quota: [{ name: 'pods', text: 'pods 8 of 10', podsLeft: 2 }] }),
      'quota',
    ],
    ['the image that serves already', live({ deployments: [deployment({ image: IMAGE })] }), 'already-serving'],
    [
      "somebody else's Deployment under the new color's name",
      live({
        deployments: [deployment(), color('green', 'v0', { createdBy: undefined })].map((each, i) =>
          i ? { ...each, podLabels: { app: 'other' } } : each,
        ),
      }),
      'name-taken',
    ],
    ['Argo CD owning the selector', live({ selectorManagers: ['argocd-controller'] }), 'foreign-owner'],
    ['Helm owning the template', live({ deployments: [deployment({ templateManagers: ['helm'] })] }), 'foreign-owner'],
  ])('refuses by name %s', (_what, state, code) => {
    expect(codes(plan(state))).toEqual([code]);
  });

  test('accepts a foreign owner that the catalog says how to pause', () => {
    const drafted = plan(live({ selectorManagers: ['argocd-controller'] }), {
      fieldOwners: [{ manager: 'argocd-controller', how: 'pause the application shop' }],
    });
    expect(drafted.refusals).toEqual([]);
    expect(drafted.warnings.join()).toContain('pause the application shop');
  });
});
