import { stripVTControlCharacters } from 'node:util';
import type { GateView } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import { paintFor, type Io, type Paint } from '../../src/cli/io.ts';
import { renderDecisionRequest } from '../../src/cli/render/decision.ts';
import { overviewOf, renderList, renderOverview } from '../../src/cli/render/list.ts';
import { changesSince, frame, redraw } from '../../src/cli/render/live.ts';
import { renderDiff, renderPlan } from '../../src/cli/render/plan.ts';
import { renderRollbackPlan } from '../../src/cli/render/rollback-plan.ts';
import { renderStatus, type StatusView } from '../../src/cli/render/status.ts';
import { fit, table } from '../../src/cli/render/text.ts';
import { printable } from '../../src/domain/printable.ts';
import type { RunView } from '../../src/cli/server/runs.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const run = (over: Partial<RunView> = {}): RunView => ({
  id: 'deploy/shop/production/web-v2',
  runId: 'run-1',
  procedure: 'deployRelease',
  status: 'running',
  phase: 'waiting',
  awaiting: ['security'],
  startedAt: '2026-11-23T11:58:30Z',
  requestedBy: 'kim',
  escape: 'kubectl patch service web',
  ...over,
});
const progress = (over: Partial<ProgressView> = {}): ProgressView => ({
  procedure: 'deployRelease',
  phase: 'waiting',
  step: 'Waiting for approval of web v2',
  awaiting: ['security'],
  lines: [],
  startedAt: '2026-11-23T11:58:30Z',
  timeline: [{ at: '2026-11-23T11:58:31Z', text: 'Plan web v2' }],
  ...over,
});
const gate: GateView = {
  name: 'security',
  kind: 'approval',
  asks: 'Is the image scanned?',
  roles: ['security'],
  quorum: 1,
  outcome: 'waiting',
  code: '3f2a1b0c-9d8e7f6a',
  openedAt: '2026-11-23T11:58:40Z',
  expiresAt: '2026-11-24T11:58:40Z',
  approvals: [],
};
const side = { uid: 'u', color: 'blue', image: 'registry.example.com/web:v1', replicas: 3, selector: {} };
const plan: ReleasePlan = {
  facts: [],
  target: {
    system: 'shop',
    environment: 'production',
    service: 'web',
    context: 'c1',
    namespace: 'web',
    kubernetesService: 'web',
  },
  serviceUid: 's',
  from: { ...side, deployment: 'web', version: 'v1' },
  to: { ...side, deployment: 'web-green', version: 'v2' },
  preview: 'web-preview',
  changes: [
    {
      verb: 'patch',
      kind: 'Service',
      name: 'web',
      why: 'traffic goes to green',
      diff: '-  version: blue\n+  version: green',
    },
  ],
  refusals: [],
  warnings: ['the old pods do not drain'],
  gates: [],
  promotion: [],
  blastRadius: '3 replicas',
  reversibility: 'switch back within seconds',
  expectedDurationMs: 900_000,
  digest: 'sha256:abc',
};
const marked: Paint = (style, text) => `<${style}>${text}</>`;

describe('the status of a procedure', () => {
  test('says what happens, who is awaited, what to type, and how traffic comes back by hand', () => {
    const text = renderStatus(
      { run: run(), worker: 'answered', progress: progress({ next: 'take the lease' }), gates: [gate] },
      NOW,
    );
    expect(text).toContain('now:        Waiting for approval of web v2');
    expect(text).toContain('waits for:  security');
    expect(text).toContain('windlass approve deploy/shop/production/web-v2 security');
    expect(text).toContain('code 3f2a1b0c-9d8e7f6a');
    expect(text).toContain('back by hand:\n  kubectl patch service web');
  });

  test('falls back on the records and says so when no worker answers', () => {
    const text = renderStatus({ run: run(), worker: 'no-worker' }, NOW);
    expect(text).toMatch(
      /running, waiting[^]*waits for: +security[^]*No worker answers: shown from the server's records[^]*kubectl/,
    );
  });

  test('says that the way back is not known yet, instead of nothing', () => {
    expect(renderStatus({ run: run({ escape: undefined }), worker: 'no-worker' }, NOW)).toContain(
      'back by hand: not known yet',
    );
  });

  test('shows the end of a failed procedure, and nothing of what would wait', () => {
    const view: StatusView = {
      run: run({ status: 'failed', closedAt: '2026-11-23T11:59:30Z' }),
      worker: 'answered',
      ending: { ok: false, type: 'SmokeFailed', message: '/ answered 500' },
    };
    const text = renderStatus(view, NOW);
    expect(text).toMatch(/ended: +30 s ago\nfailed: +SmokeFailed: \/ answered 500/);
    expect(text).not.toContain('waits for');
  });
});

describe('the overview', () => {
  const other = run({ id: 'deploy/shop/production/api-v7', awaiting: ['engineering-lead'] });

  test('lists what waits for a role of the person, or for the person by name, apart from the rest', () => {
    expect(overviewOf('sam', ['security'], [run(), other]).waitsForMe.map(({ id }) => id)).toEqual([run().id]);
    expect(overviewOf('sam', undefined, [run({ awaiting: ['sam'] }), other]).waitsForMe).toHaveLength(1);
  });

  test('tells the requester that another person may have to decide', () => {
    expect(renderOverview(overviewOf('kim', ['security'], [run()]), NOW)).toContain('you asked for it');
  });

  test('says how to name the roles when they are unknown and something waits', () => {
    expect(renderOverview(overviewOf('sam', undefined, [run()]), NOW)).toContain('WINDLASS_ROLES');
    expect(renderOverview(overviewOf('sam', undefined, [run({ awaiting: [] })]), NOW)).not.toContain('WINDLASS_ROLES');
  });

  test('lists runs in columns that colors do not shift', () => {
    const lines = renderList([run(), run({ id: 'a', status: 'failed' })], NOW, marked).split('\n');
    expect(lines[1]).toContain('<cyan>running</>');
    const [head, ...rows] = table(
      ['A', 'B'],
      [
        ['\u001b[31mred\u001b[39m', 'x'],
        ['longer', 'y'],
      ],
    );
    expect(head!.indexOf('B')).toBe(rows[1]!.indexOf('y'));
    expect(stripVTControlCharacters(rows[0]!).indexOf('x')).toBe(rows[1]!.indexOf('y'));
  });
});

describe('a plan', () => {
  test('shows reach, way back, duration, warnings and every change with its diff', () => {
    const text = renderPlan(plan);
    for (const part of [
      '3 replicas',
      'switch back within seconds',
      'about 15 min',
      'the old pods do not drain',
      'patch Service/web: traffic goes to green',
      '      +  version: green',
    ])
      expect(text).toContain(part);
  });

  test('tells of a gate what silence means, what it needs, and who may pass it alone', () => {
    const policy = {
      onExpiry: 'escalate' as const,
      escalation: { roles: ['vp'] },
      comment: 'required' as const,
      breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: 1 },
    };
    const gates = [{ ...gate, fourEyes: false, expiresAfterMs: 3_600_000, ...policy }] as ReleasePlan['gates'];
    expect(renderPlan({ ...plan, gates })).toContain(
      'security: approval by security, within 1 h; then vp too; with a comment; in an emergency on-call alone',
    );
  });

  test('tells the gates before it starts from those before traffic goes over', () => {
    const spec = { kind: 'approval' as const, asks: '', quorum: 2, fourEyes: true, expiresAfterMs: 86_400_000 };
    const gates = [{ ...spec, name: 'security', roles: ['security'] }];
    const promotion = [{ ...spec, name: 'window', roles: ['devops'], quorum: 1, fourEyes: false }];
    expect(renderPlan({ ...plan, gates, promotion })).toMatch(
      /before anything changes:\n {2}security: approval by 2 of security, not the requester, within 1 d\n\n.*before traffic goes over:\n {2}window: approval by devops, within 1 d/,
    );
  });

  test('begins with its refusals', () => {
    expect(renderPlan({ ...plan, refusals: [{ code: 'HostPort', message: 'pods use a host port' }] })).toMatch(
      /^REFUSED HostPort: pods use a host port\n/,
    );
  });

  test('colors added and removed lines of a diff', () => {
    expect(renderDiff('@@ -1 +1 @@\n-a\n+b\n c', marked)).toBe('<dim>@@ -1 +1 @@</>\n<red>-a</>\n<green>+b</>\n c');
  });

  test('of a rollback names the release and how traffic gets there', () => {
    const record = {
      version: 'v1',
      image: 'web:v1',
      deployment: 'web-blue',
      selector: {},
      outcome: 'good' as const,
      at: '',
      workflowId: '',
    };
    expect(renderRollbackPlan({ kind: 'redeploy', record })).toMatch(/go back to: *v1[^]*redeploy v1/);
    expect(renderRollbackPlan({ kind: 'refused', refusal: { code: 'NoRelease', message: 'none served well' } })).toBe(
      'REFUSED NoRelease: none served well',
    );
    const breakGlass = 'rollback passes freeze by-hand (the auditors are here)';
    expect(renderRollbackPlan({ kind: 'redeploy', record, breakGlass }, marked)).toMatch(
      /\n<yellow>warning: *BREAK-GLASS: rollback passes freeze by-hand \(the auditors are here\)<\/>$/,
    );
  });
});

test('a decision shows the question, what it is about, and the code that binds it', () => {
  const text = renderDecisionRequest(gate, progress({ plan }), NOW);
  expect(text).toMatch(
    /Is the image scanned\?[^]*to: +v2[^]*digest: +sha256:abc[^]*patch Service\/web[^]*code: +3f2a1b0c-9d8e7f6a/,
  );
});

describe('the live view', () => {
  const view: StatusView = { run: run(), worker: 'answered', progress: progress() };

  test('never draws a line wider or a frame higher than the terminal', () => {
    const long = {
      ...view,
      progress: progress({ lines: Array.from({ length: 50 }, (_, n) => `${n} ${'x'.repeat(300)}`) }),
    };
    const lines = frame(long, NOW, (_, text) => `\u001b[1m${text}\u001b[22m`, { columns: 60, rows: 20 }).split('\n');
    expect(lines.length).toBeLessThan(20);
    for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(60);
  });

  test('redraws over the lines it drew before', () => {
    expect(redraw('a\nb', 3)).toBe('\u001b[3A\r\u001b[Ja\nb\n');
    expect(redraw('a', 0)).not.toContain('A\r');
  });

  test('prints only what is new when lines are wanted', () => {
    const later = {
      ...view,
      progress: progress({
        awaiting: [],
        timeline: [...progress().timeline, { at: '2026-11-23T11:59:00Z', text: 'approved' }],
      }),
    };
    expect(changesSince(undefined, view)).toEqual([
      `${run().id}: running`,
      '11:58:31Z Plan web v2',
      'waits for security',
    ]);
    expect(changesSince(view, later)).toEqual(['11:59:00Z approved', 'waits for nobody any more']);
    expect(changesSince(later, later)).toEqual([]);
  });
});

describe('text of others', () => {
  test('cannot move the cursor, color the terminal or turn its direction around', () => {
    expect(printable({ reason: '\u001b[2Jgone\u202e', list: ['a\u0007'] })).toEqual({
      reason: '�[2Jgone�',
      list: ['a�'],
    });
    expect(printable('two\nlines\tkept')).toBe('two\nlines\tkept');
  });

  test('is cut to the width of the terminal without counting colors', () => {
    expect(fit('\u001b[1mabcdef\u001b[22m', 4)).toBe('\u001b[1mabc\u001b[22m…');
  });
});

describe('colors', () => {
  const io = (env: NodeJS.ProcessEnv, terminal?: Io['terminal']): Io => ({
    out: () => {},
    err: () => {},
    env,
    ...(terminal ? { terminal } : {}),
  });
  const size = { columns: 80, rows: 24 };

  test.each([
    ['a terminal', io({}, size), true, true],
    ['a pipe', io({}), true, false],
    ['a terminal with NO_COLOR', io({ NO_COLOR: '1' }, size), true, false],
    ['a terminal with an empty NO_COLOR', io({ NO_COLOR: '' }, size), true, true],
    ['a terminal with --no-color', io({}, size), false, false],
    ['a dumb terminal', io({ TERM: 'dumb' }, size), true, false],
  ])('on %s', (_, where, wanted, colored) => {
    expect(paintFor(where, wanted)('red', 'x') !== 'x').toBe(colored);
  });
});
