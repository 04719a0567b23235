import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SYSTEM } from '../support/acceptance-catalog.ts';

let acceptance: Acceptance;
let frozen: string;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'freeze',
    stages: 2,
    variants: { brisk: BRISK },
    // The stages are taken in this order.
    catalog: ([first]) => ({
      freezes: {
        'quarter-end': {
          reason: 'the books are closed',
          environments: [(frozen = first!)],
          changes: ['deployment'],
          once: { zone: 'America/New_York', from: '2026-01-01T00:00', until: '2099-01-01T00:00' },
        },
      },
    }),
  });
}, 120_000);
afterAll(() => acceptance?.close());

test(
  'a deployment in a freeze of the catalog is refused with the rule and its end, and nothing changes',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      expect(stage.input()).toMatchObject({ environment: frozen });
      const before = await stage.namespace.versions();
      const planned = await (await stage.start('deployRelease', { ...stage.input(), planOnly: true })).ending();
      expect(planned).toMatchObject({
        ok: true,
        result: { plan: { refusals: [{ code: 'changes-closed', message: expect.stringContaining('quarter-end') }] } },
      });
      const refused = await stage.start('deployRelease', stage.input());
      expect(await refused.ending()).toMatchObject({
        ok: false,
        type: 'ChangesClosed',
        message: expect.stringMatching(
          /closed to deployments by freeze quarter-end \(the books are closed\), which .*Rollbacks and incidents pass/,
        ),
      });
      expect(await stage.namespace.versions()).toEqual(before);
      expect(await refused.failedWorkflowTasks()).toBe(0);
    }),
  240_000,
);

test(
  'a freeze that is started by hand keeps a deployment out, a rollback passes it by break-glass, and its end lets changes in',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const environment = String(stage.input()['environment']);
      await stage.release('v2');
      const start = ['freeze', 'start', SYSTEM, environment, '--until', '4h', '--reason', 'the auditors are here'];
      expect(await acceptance.cli('ana', ...start)).toMatchObject({ code: 0, json: { name: 'by-hand', by: 'ana' } });

      const refused = await stage.start('deployRelease', stage.input('v10')); // prettier-ignore
      expect(await refused.ending()).toMatchObject({
        ok: false,
        type: 'ChangesClosed',
        message: expect.stringMatching(/freeze by-hand \(the auditors are here, says ana\), which opens at 20\d\d-/),
      });

      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      const passed = /rollback passes freeze by-hand \(the auditors are here, says ana\)/;
      expect((await rollback.progress()).lines.join()).toMatch(passed);
      expect((await rollback.handle.describe()).memo).toMatchObject({ breakGlass: expect.stringMatching(passed) });
      expect((await acceptance.notices()).join('\n')).toMatch(new RegExp(`BREAK-GLASS.*${passed.source}`));

      expect(await acceptance.cli('ana', 'freeze', 'end', SYSTEM, environment)).toMatchObject({ code: 0 });
      await stage.release('v10');
      expect(await stage.served()).toBe('v10');
    }),
  240_000,
);
