import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SYSTEM } from '../support/acceptance-catalog.ts';
import { DECIDERS } from '../support/acceptance-procedure.ts';

// The gates of the runbook are the shipped catalog's own; only people are added, so that there are two of a role.
const people = [
  { name: 'security-team@agents.example.com', roles: ['security'] },
  { name: 'eng-lead@agents.example.com', roles: ['engineering-lead'] },
  { name: 'devops-on-call', roles: ['devops'] },
  { name: 'pat', roles: ['security', 'engineering-lead'] },
  { name: 'lee', roles: ['engineering-lead'] },
];
const GATES = ['security', 'engineering-lead', 'devops-ready', 'window-confirmed'];

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'gates',
    stages: 4,
    variants: { brisk: BRISK },
    catalog: { people },
  });
}, 120_000);
afterAll(() => acceptance?.close());

test.concurrent(
  'S-01.1 changes nothing in the cluster before security, engineering lead, devops and window have all approved, then releases',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = await stage.namespace.versions();
      const release = await stage.deploy('v2');
      const gates = await release.untilGatesOpen();
      expect(gates.map(({ name }) => name)).toEqual(GATES);

      for (const gate of GATES) {
        expect(await stage.changes()).toEqual([]);
        expect(await stage.namespace.versions()).toEqual(before);
        expect((await release.gates()).find(({ name }) => name === gate)).toMatchObject({ outcome: 'waiting' });
        const { code, json } = await acceptance.cli(DECIDERS[gate]!, 'approve', release.id, gate, '--yes');
        expect({ code, json }).toMatchObject({ code: 0, json: { code: 'recorded' } });
      }
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released', version: 'v2' } });
      expect(await stage.served()).toBe('v2');
      expect((await stage.changes()).length).toBeGreaterThan(0);
      const asked = (await acceptance.notices()).filter((text) => text.includes('security') && text.includes('devops'));
      expect(asked).not.toEqual([]);
    }),
  180_000,
);

test.concurrent(
  'S-01.2 stops at the first rejection with its reason; the same release passes when it is requested and approved again',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = await stage.namespace.versions();
      const rejected = await stage.deploy('v2');
      await rejected.untilGatesOpen();
      await rejected.decide({ gate: 'security' });
      const { code } = await acceptance.cli(
        DECIDERS['engineering-lead']!,
        ...['reject', rejected.id, 'engineering-lead', '--reason', 'the scan of v2 is not complete', '--yes'],
      );
      expect(code).toBe(0);
      expect(await rejected.ending()).toMatchObject({
        ok: false,
        type: 'GateNotApproved',
        message: expect.stringMatching(/engineering-lead was rejected by eng-lead@.*the scan of v2 is not complete/),
      });
      expect(await stage.changes()).toEqual([]);
      expect(await stage.namespace.versions()).toEqual(before);

      expect(await stage.release('v2')).toMatchObject({ outcome: 'released' });
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  "S-01.3 answers an approval without the role, a second one of the same person and one of the requester without counting it; the right people's release it",
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const input = { ...stage.input(), requestedBy: 'eng-lead@agents.example.com' };
      const release = await stage.start('deployRelease', input);
      const gates = await release.untilGatesOpen();
      const answer = async (gate: string, by: string) => (await release.decide({ gate, by })).code;

      expect(await answer('security', 'devops-on-call')).toBe('wrong-role');
      expect(await answer('security', 'mallory')).toBe('unknown-person');
      expect(await answer('engineering-lead', 'eng-lead@agents.example.com')).toBe('requester-excluded');
      expect(await answer('security', 'pat')).toBe('recorded');
      expect(await answer('security', 'security-team@agents.example.com')).toBe('already-decided');
      expect(await answer('engineering-lead', 'pat')).toBe('same-person');
      // A signal cannot be answered: it is recorded and has no effect.
      const { code } = gates[0]!;
      await release.handle.signal('approve', { gate: 'engineering-lead', by: 'devops-on-call', code });
      await release.until('the record of the signal', ({ timeline }) =>
        timeline.some(({ text }) => /without effect \(wrong-role\): devops-on-call/.test(text)),
      );
      expect(await answer('devops-ready', 'devops-on-call')).toBe('recorded');
      expect(await answer('window-confirmed', 'devops-on-call')).toBe('recorded');
      const open = (await release.gates()).filter(({ outcome }) => outcome === 'waiting');
      expect(open.map(({ name }) => name)).toEqual(['engineering-lead']);
      expect(await stage.changes()).toEqual([]);

      expect(await answer('engineering-lead', 'lee')).toBe('recorded');
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  'S-01.4 asks again when what was approved has changed since, and releases only what was approved last',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const release = await stage.deploy('v2');
      const [first] = await release.untilGatesOpen();
      for (const gate of GATES.slice(0, 3)) await release.decide({ gate });
      await stage.namespace.kubectl('set', 'env', 'deployment/agent-system', 'NOTE=changed-by-hand');
      await stage.namespace.kubectl('rollout', 'status', 'deployment/agent-system', '--timeout=60s');
      await release.decide({ gate: 'window-confirmed' });

      await release.until('that it asks again', ({ timeline }) =>
        timeline.some(({ text }) => /asking again/.test(text)),
      );
      const again = await release.untilGatesOpen();
      expect(again.map(({ outcome }) => outcome)).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
      expect(again[0]!.code).not.toBe(first!.code);
      expect(await release.decide({ gate: 'security', code: first!.code })).toMatchObject({ code: 'wrong-code' });
      expect(await stage.changes()).toEqual([]);

      await release.approveAll();
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
      const green = await stage.namespace.find('Deployment', 'agent-system-green');
      expect(green?.spec?.['template'].spec.containers[0].env).toContainEqual({
        name: 'NOTE',
        value: 'changed-by-hand',
      });
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  'S-01.5 ends as expired when nobody decides in time, and a new request can be approved',
  async () => {
    const gates = GATES.map((name) => ({
      name,
      kind: 'approval',
      asks: `${name}?`,
      roles: [name === 'devops-ready' || name === 'window-confirmed' ? 'devops' : name],
      fourEyes: false,
      // Long enough to approve on a busy machine.
      expiresAfter: '12s',
    }));
    const impatient = await openAcceptance({
      subject: 'expiry',
      stages: 1,
      variants: { brisk: BRISK },
      catalog: { policies: { deployRelease: { gates, notify: [] } } },
    });
    try {
      await impatient.stage({ service: 'brisk' }, async (stage) => {
        const before = await stage.namespace.versions();
        const expired = await stage.deploy('v2');
        const [security] = await expired.untilGatesOpen();
        expect(await expired.ending()).toMatchObject({
          ok: false,
          type: 'GateNotApproved',
          message: expect.stringMatching(/ended expired: nobody .* decided in time/),
        });
        const late = { gate: 'security', code: security!.code };
        await expect(expired.decide(late)).rejects.toThrow();
        expect(await stage.namespace.versions()).toEqual(before);

        expect(await stage.release('v2')).toMatchObject({ outcome: 'released' });
        expect(await stage.served()).toBe('v2');
      });
    } finally {
      await impatient.close();
    }
  },
  180_000,
);

describe('gates with more policy', () => {
  let strict: Acceptance;
  beforeAll(async () => {
    strict = await openAcceptance({
      subject: 'glass',
      stages: 2,
      variants: { brisk: BRISK },
      catalog: {
        people,
        policies: {
          deployRelease: {
            gates: [
              {
                name: 'security',
                asks: 'Is the image scanned?',
                roles: ['security'],
                comment: 'required',
                form: { properties: { ticket: { type: 'string', maxLength: 20 } }, required: ['ticket'] },
              },
              {
                name: 'engineering-lead',
                asks: 'Shall it go out?',
                roles: ['engineering-lead'],
                breakGlass: { roles: ['devops'], notify: ['slack'], reviewWithin: '24h' },
              },
            ],
          },
        },
      },
    });
  }, 120_000);
  afterAll(() => strict?.close());

  test.concurrent(
    'S-01.6 releases by break-glass when the lead is away: people are told at once, it is shown, and somebody else reviews it',
    () =>
      strict.stage({ service: 'brisk' }, async (stage) => {
        const release = await stage.deploy('v2');
        await release.untilGatesOpen();
        const approve = (as: string, gate: string, ...flags: string[]) =>
          strict.cli(as, 'approve', release.id, gate, '--yes', ...flags);

        const bare = await approve('pat', 'security', '--comment', 'scanned');
        expect(bare).toMatchObject({
          code: 1,
          json: { error: { message: expect.stringContaining('invalid-fields') } },
        });
        const filled = await approve('pat', 'security', '--comment', 'scanned', '--field', 'ticket=C-4711');
        expect(filled).toMatchObject({ code: 0, json: { gate: { approvals: [{ fields: { ticket: 'C-4711' } }] } } });

        const why = ['--break-glass', '--reason', 'checkout is down, the lead is away'];
        const broken = await approve('devops-on-call', 'engineering-lead', ...why);
        expect(broken).toMatchObject({ code: 0, json: { gate: { outcome: 'approved', approvals: [] } } });
        await waitFor(
          'the notice',
          async () =>
            (await strict.notices()).some((text) =>
              /^BREAK-GLASS: devops-on-call passed gate engineering-lead alone: checkout is down/.test(text),
            ),
          { timeoutSeconds: 60 },
        );
        expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
        expect(await stage.served()).toBe('v2');
        const { json: shown } = await strict.cli('kim', 'status', release.id);
        expect(shown).toMatchObject({
          run: {
            breakGlass: 'gate engineering-lead was passed alone by devops-on-call: checkout is down, the lead is away',
          },
        });

        const { json: list } = await strict.cli('kim', 'list', '--system', SYSTEM, '--environment', stage.environment);
        const runs = list['runs'] as { id: string; procedure: string }[];
        const review = stage.get(runs.find(({ procedure }) => procedure === 'reviewBreakGlass')!.id);
        await review.untilGatesOpen();
        const decide = (by: string) => review.decide({ gate: 'break-glass-review', by, reason: 'the lead was away' });
        expect((await decide('devops-on-call')).code).toBe('requester-excluded');
        expect((await decide('lee')).code).toBe('recorded');
        expect(await review.ending()).toMatchObject({ ok: true, result: { outcome: 'reviewed' } });
      }),
    180_000,
  );

  test.concurrent(
    'S-01.7 ends as withdrawn when who asked for it wants it no more, and nothing has changed; requested again it goes out',
    () =>
      strict.stage({ service: 'brisk' }, async (stage) => {
        const before = await stage.namespace.versions();
        const release = await stage.deploy('v2');
        await release.untilGatesOpen();
        expect(await strict.cli('lee', 'withdraw', release.id, '--yes')).toMatchObject({ code: 1 });
        const withdrawn = await strict.cli('kim', 'withdraw', release.id, '--reason', 'wrong image', '--yes');
        expect(withdrawn).toMatchObject({ code: 0, json: { gate: { outcome: 'withdrawn' } } });
        expect(await release.ending()).toMatchObject({
          ok: false,
          type: 'GateNotApproved',
          message: expect.stringMatching(/was withdrawn by kim: wrong image/),
        });
        expect(await stage.changes()).toEqual([]);
        expect(await stage.namespace.versions()).toEqual(before);

        const again = await stage.deploy('v2');
        await again.untilGatesOpen();
        const approve = (as: string, gate: string, ...flags: string[]) =>
          strict.cli(as, 'approve', again.id, gate, '--yes', ...flags);
        await approve('pat', 'security', '--comment', 'scanned', '--field', 'ticket=C-4712');
        await approve('lee', 'engineering-lead');
        expect(await again.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
        expect(await stage.served()).toBe('v2');
      }),
    180_000,
  );
});
