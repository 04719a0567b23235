import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { GateView } from '../../src/contracts/gates.ts';
import type { OrderResult } from '../../src/contracts/messages.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import type { RunRunbookResult } from '../../src/contracts/run-runbook.ts';
import { fails, runbookActivities, worldOf, type RunbookWorld } from '../support/runbook.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';
import { failureOf } from '../support/workflow-failure.ts';

const HOUR = 3_600_000;
const STEP_MS = HOUR / 4;
const INPUT = { system: 'test', environment: 'local', runbook: 'main', requestedBy: 'kim' };
const ON_SERVICE = { ...INPUT, service: 'shop' };

type Handle = WorkflowHandleWithStartDetails;
type During = (handle: Handle) => Promise<void>;

let temporal: TestTemporal;
let world: RunbookWorld;

const serve = async (yaml: string, over: Partial<RunbookWorld> = {}): Promise<void> => {
  world = worldOf(yaml, over);
  temporal = await startTimeSkipping({ activities: () => runbookActivities(world) });
};
afterEach(() => temporal.stop());

async function run(input: unknown, during: During = () => Promise.resolve()): Promise<RunRunbookResult> {
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start('runRunbook', { taskQueue, workflowId: taskQueue, args: [input] });
  await during(handle);
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(STEP_MS);
  return handle.result() as Promise<RunRunbookResult>;
}

async function eventually<T>(ask: () => Promise<T>, until: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (until(answer)) return answer;
    await temporal.env.sleep(10);
  }
}

const viewOf = (handle: Handle) => handle.query<ProgressView>('progress');
const stuckAt = (handle: Handle) =>
  eventually(
    () => viewOf(handle),
    ({ phase }) => phase === 'rescue',
  );

const rescue =
  (verb: string, step?: string): During =>
  async (handle) => {
    await stuckAt(handle);
    const order = { verb, by: 'ana', reason: 'for the test', ...(step ? { step } : {}) };
    const answer = await handle.executeUpdate<OrderResult, [unknown]>('rescue', { args: [order] });
    expect(answer).toMatchObject({ accepted: true });
  };

const decideGate =
  (decision: 'approve' | 'reject', by = 'ana'): During =>
  async (handle) => {
    const gates = await eventually(
      () => handle.query<GateView[]>('gates'),
      (found) => found.some(({ outcome }) => outcome === 'waiting'),
    );
    const { name: gate, code } = gates.find(({ outcome }) => outcome === 'waiting')!;
    await handle.executeUpdate('decide', { args: [{ gate, decision, by, code, reason: 'for the test' }] });
  };

const outcomes = ({ steps }: RunRunbookResult) => steps.map(({ step, outcome }) => `${step} ${outcome}`);

const CHANGES = `
main:
  description: Sets a and b
  changes: [service]
  parameters: { b: { type: int, default: 5, description: what b becomes } }
  steps:
    - { name: setA, action: set, with: { key: a, value: 1 }, undo: own }
    - { name: setB, action: set, with: { key: b, value: '\${parameters.b + steps.setA.output.after}' }, undo: own }
    - { action: note, with: { key: 'b was \${steps.setB.output.before}' } }
`;

describe('a freeze', () => {
  const closures = [
    { source: 'freeze' as const, rule: 'christmas', reason: 'nobody is here', opens: 1_800_000_000_000 },
  ];

  test('keeps a runbook that changes something out, with the rule in the failure, and the plan says so', async () => {
    await serve(CHANGES);
    const message = 'closed to maintenance by freeze christmas';
    world.admission = { verdict: 'refused', rule: 'christmas', opens: closures[0]!.opens, message, closures };
    await expect(run(ON_SERVICE)).rejects.toMatchObject({
      cause: {
        type: 'ChangesClosed',
        message: expect.stringContaining(`${message}. Rollbacks and incidents pass.`),
        details: [{ rule: 'christmas', opens: '2027-01-15T08:00:00.000Z', lease: 'clean' }],
      },
    });
    expect(world.log).toEqual(['plan']);
    const planned = await run({ ...ON_SERVICE, planOnly: true });
    expect(planned.plan!.refusals).toEqual([{ code: 'changes-closed', message: `It is ${message}.` }]);
  });

  test('lets the runbook of an incident pass, and people are told once that it did', async () => {
    await serve(CHANGES);
    const reason = 'incident passes freeze christmas (nobody is here)';
    world.admission = { verdict: 'passes-by-break-glass', reason, closures };
    const result = await run({ ...ON_SERVICE, priority: 'incident' }, () => Promise.resolve());
    expect(result.outcome).toBe('completed');
    expect(world.notices.filter((text) => text.includes(`BREAK-GLASS`))).toEqual([
      expect.stringContaining(`BREAK-GLASS: ${temporal.taskQueue}: ${reason}`),
    ]);
  });
});

describe('a runbook', () => {
  test('does its steps in order under the lease of the service, with parameters and former outputs filled in', async () => {
    await serve(CHANGES);
    const result = await run(ON_SERVICE);
    expect(world.log).toEqual(['plan', 'acquire shop', 'claim', 'set a=1', 'set b=6', 'note b was 0']);
    expect(world.tokens).toEqual([1, 1, 1]);
    expect(result).toMatchObject({
      outcome: 'completed',
      steps: [
        { step: 'setA', kind: 'action', outcome: 'done', output: { before: 0, after: 1 } },
        { step: 'setB', outcome: 'done', output: { before: 0, after: 6 } },
        { step: '3', outcome: 'done' },
      ],
    });
    expect(world.notices).toEqual(['Runbook main is done, asked by kim.']);
  });

  test('that is only planned touches nothing and takes no lease', async () => {
    await serve(CHANGES);
    const result = await run({ ...ON_SERVICE, planOnly: true });
    expect(result).toMatchObject({ outcome: 'planned', steps: [], plan: { digest: 'sha256:planned' } });
    expect(world.log).toEqual(['plan']);
  });

  test('that only looks takes no lease', async () => {
    await serve('main: { description: Looks, steps: [{ name: see, action: look, with: { key: a } }] }', {
      values: { a: 7 },
    });
    expect(await run(INPUT)).toMatchObject({ steps: [{ step: 'see', output: { value: 7 } }] });
    expect(world.log).toEqual(['plan']);
  });

  test('runs under the leases of another procedure when it is given their tokens', async () => {
    await serve(CHANGES);
    await run({ ...ON_SERVICE, under: { tokens: { shop: 42 } } });
    expect(world.log).toEqual(['plan', 'set a=1', 'set b=6', 'note b was 0']);
    expect(world.tokens).toEqual([42, 42, 42]);
  });

  test('is refused when the leases it runs under do not cover what it changes', async () => {
    await serve(CHANGES);
    const failure = await failureOf(run({ ...ON_SERVICE, under: { tokens: { 'database/main': 42 } } }));
    expect(failure).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('shop') as string });
    expect(world.log).toEqual(['plan']);
  });

  test('skips a step whose condition is false, and later steps see that it has no output', async () => {
    await serve(`
main:
  description: Looks
  steps:
    - { name: first, when: catalog.production, action: look, with: { key: a } }
    - { name: second, when: '!has(steps.first.output)', action: look, with: { key: a } }
`);
    expect(outcomes(await run(INPUT))).toEqual(['first skipped', 'second done']);
  });

  test('aborted in the middle takes everything back in reverse', async () => {
    await serve(CHANGES.replace('    - { action: note', '    - { wait: 1h }\n    - { action: note'), {
      values: { a: 3, b: 4 },
    });
    const failure = await failureOf(
      run(ON_SERVICE, async (handle) => {
        await eventually(
          () => viewOf(handle),
          ({ phase }) => phase === 'sleeping',
        );
        await handle.signal('abort', { by: 'ana', reason: 'for the test' });
      }),
    );
    expect(failure).toMatchObject({ type: 'Aborted', message: expect.stringContaining('taken back') as string });
    expect(world.log.slice(3)).toEqual(['set a=1', 'set b=6', 'set b=4', 'set a=3']);
  });
});

describe('a gate', () => {
  const ASKED_FIRST = `
main:
  description: Asks, then sets a
  changes: [service]
  steps:
    - gate: { name: lead, asks: Go?, roles: [lead] }
    - { name: setA, action: set, with: { key: a, value: 1 }, undo: own }
`;
  const GATED = CHANGES.replace(
    '    - { action: note',
    `    - gate: { name: lead, asks: 'Is \${steps.setB.output.after} right for b?', roles: [lead] }
    - { action: note`,
  );

  test('asks with what former steps found, and the rest goes on when it is approved', async () => {
    await serve(GATED);
    let asks = '';
    const result = await run(ON_SERVICE, async (handle) => {
      const gates = await eventually(
        () => handle.query<GateView[]>('gates'),
        ({ length }) => length > 0,
      );
      ({ asks } = gates[0]!);
      await decideGate('approve')(handle);
    });
    expect(asks).toBe('Is 6 right for b?');
    expect(outcomes(result)).toEqual(['setA done', 'setB done', '3 done', '4 done']);
  });

  test('before the first change is waited for with a reservation, and the leases are taken after it', async () => {
    await serve(ASKED_FIRST);
    expect(outcomes(await run(ON_SERVICE, decideGate('approve')))).toEqual(['1 done', 'setA done']);
    expect(world.log).toEqual(['plan', 'reserve shop', 'acquire shop', 'claim', 'plan', 'set a=1']);
  });

  test('is asked again when what would change is not what was approved', async () => {
    await serve(ASKED_FIRST);
    await run(ON_SERVICE, async (handle) => {
      const [first] = await eventually(
        () => handle.query<GateView[]>('gates'),
        ({ length }) => length > 0,
      );
      world.digest = 'sha256:changed';
      await decideGate('approve')(handle);
      await eventually(
        () => handle.query<GateView[]>('gates'),
        ([gate]) => gate?.outcome === 'waiting' && gate.code !== first!.code,
      );
      await decideGate('approve')(handle);
    });
    expect(world.log.filter((line) => line !== 'plan')).toEqual(['reserve shop', 'acquire shop', 'claim', 'set a=1']);
  });

  test('that is rejected before the first change leaves everything alone', async () => {
    await serve(ASKED_FIRST);
    expect(await failureOf(run(ON_SERVICE, decideGate('reject')))).toMatchObject({ type: 'GateNotApproved' });
    expect(world.log).toEqual(['plan', 'reserve shop']);
  });

  test('that is rejected has everything taken back in reverse', async () => {
    await serve(GATED);
    const failure = await failureOf(run(ON_SERVICE, decideGate('reject')));
    expect(failure.type).toBe('GateNotApproved');
    expect(world.log.slice(3)).toEqual(['set a=1', 'set b=6', 'set b=0', 'set a=0']);
  });
});

describe('a way back', () => {
  test('for the end is taken also after a success, before the lease is given up; the others stay', async () => {
    await serve(`
main:
  description: Sets a for a while
  changes: [service]
  steps:
    - { name: mode, action: set, with: { key: mode, value: 1 }, undo: own, undoWhen: end }
    - { action: set, with: { key: a, value: 1 }, undo: own }
    - { wait: 10m, undo: { action: note, with: { key: after } }, undoWhen: end }
`);
    expect(outcomes(await run(ON_SERVICE))).toEqual(['mode undone', '2 done', '3 undone']);
    expect(world.log.slice(3)).toEqual(['set mode=1', 'set a=1', 'note after', 'set mode=0']);
  });

  test('that is another action is taken when the step itself failed for good', async () => {
    await serve(
      `
main:
  description: Sets a
  changes: [service]
  steps: [{ name: it, action: set, with: { key: a, value: 1 }, undo: { action: note, with: { key: back } } }]
`,
      { failures: { 'set a': [fails('ChecksFailed')] } },
    );
    const failure = await failureOf(
      run(ON_SERVICE, async (handle) => {
        await stuckAt(handle);
        await handle.signal('abort', { by: 'ana', reason: 'for the test' });
      }),
    );
    expect(failure.type).toBe('Aborted');
    expect(world.log.slice(3)).toEqual(['note back']);
  });
});

describe('a step that fails', () => {
  const broken = (failure: Error) => serve(CHANGES, { failures: { 'set b': [failure] } });

  test('waits for a person, who has it tried again', async () => {
    await broken(fails('ChecksFailed'));
    expect(outcomes(await run(ON_SERVICE, rescue('retry')))).toEqual(['setA done', 'setB done', '3 done']);
    expect(world.notices[0]).toBe('Stuck: setB: set: ChecksFailed for the test. Decide with windlass rescue.');
  });

  test('is left out when a person skips it; what needs its output is stuck in turn', async () => {
    await broken(fails('ChecksFailed'));
    const result = await run(ON_SERVICE, async (handle) => {
      await rescue('skip')(handle);
      await eventually(
        () => viewOf(handle),
        ({ step }) => step === 'Stuck: step 3: note',
      );
      await rescue('skip')(handle);
    });
    expect(outcomes(result)).toEqual(['setA done', 'setB skipped', '3 skipped']);
  });

  test('is checked when a person says that it was done by hand', async () => {
    await broken(fails('ChecksFailed'));
    const running = run(ON_SERVICE, async (handle) => {
      await rescue('done')(handle);
      await eventually(
        () => viewOf(handle),
        ({ lines }) => lines.some((line) => line.includes('not done yet: b: 0 → 6')),
      );
      world.values['b'] = 6;
      await rescue('done')(handle);
      await eventually(
        () => viewOf(handle),
        ({ step }) => step === 'Stuck: step 3: note',
      );
      await rescue('skip')(handle);
    });
    expect(outcomes(await running)).toEqual(['setA done', 'setB done', '3 skipped']);
    expect(world.log.slice(3)).toEqual(['set a=1']);
  });

  test('leaves everything as it is, and dirty, when a person gives up', async () => {
    await broken(fails('ChecksFailed'));
    const failure = await failureOf(run(ON_SERVICE, rescue('give-up')));
    expect(failure).toMatchObject({ type: 'GaveUp', message: expect.stringContaining('marked dirty') as string });
    expect(world.log.slice(3)).toEqual(['set a=1']);
  });

  test('is tried again by itself when it could not be reached', async () => {
    await broken(fails('Unavailable'));
    expect(outcomes(await run(ON_SERVICE))).toEqual(['setA done', 'setB done', '3 done']);
  });
});

describe('until', () => {
  const UNTIL = `
main:
  description: Waits for a
  steps:
    - name: ready
      until: { action: look, with: { key: a }, is: output.value > 2, every: 10s, within: 10m, holdsFor: 1m }
    - { action: look, with: { key: a }, when: steps.ready.output.value > 2 }
`;

  test('goes on with what it found last', async () => {
    await serve(UNTIL, { polls: [{ held: true, output: { value: 3 } }] });
    const result = await run(INPUT);
    expect(result.steps).toMatchObject([
      { step: 'ready', kind: 'until', outcome: 'done', output: { value: 3 } },
      { step: '2', outcome: 'done' },
    ]);
  });

  test('whose deadline passes is stuck, and says what it saw last', async () => {
    await serve(UNTIL, { polls: [{ held: false, output: { value: 1 } }] });
    let lines: string[] = [];
    await run(INPUT, async (handle) => {
      ({ lines } = await stuckAt(handle));
      await rescue('retry')(handle);
    }).catch(() => undefined);
    expect(lines.join()).toContain(
      '"output.value > 2" did not hold within 10 min (3 looks): the last output was {"value":1}',
    );
    expect(world.log).toEqual(['plan', 'poll output.value > 2', 'poll output.value > 2']);
  });
});

describe('steps side by side', () => {
  const BOTH = `
main:
  description: Sets a and b
  changes: [service]
  steps:
    - parallel:
        - { name: setA, action: set, with: { key: a, value: 1 }, undo: own }
        - { name: setB, action: set, with: { key: b, value: 1 }, undo: own }
    - { action: note, with: { key: '\${steps.setA.output.after + steps.setB.output.after}' } }
`;

  test('are all done before the next one, which sees their outputs', async () => {
    await serve(BOTH);
    expect(outcomes(await run(ON_SERVICE)).slice(2)).toEqual(['1 done', '2 done']);
    expect(world.log.at(-1)).toBe('note 2');
  });

  test('stop together when one is given up', async () => {
    await serve(BOTH, { failures: { 'set a': [fails('ChecksFailed')], 'set b': [fails('ChecksFailed')] } });
    const failure = await failureOf(
      run(ON_SERVICE, async (handle) => {
        await eventually(
          () => viewOf(handle),
          ({ lines }) => lines.filter((line) => line.includes('could not finish')).length === 2,
        );
        const order = { verb: 'give-up', by: 'ana', reason: 'for the test' };
        const unclear = await handle.executeUpdate<OrderResult, [unknown]>('rescue', { args: [order] });
        expect(unclear).toEqual({
          accepted: false,
          message: 'Expected "step" to be one of those that are stuck: "setA: set", "setB: set".',
        });
        await rescue('give-up', 'setB: set')(handle);
      }),
    );
    expect(failure).toMatchObject({ type: 'GaveUp', message: expect.stringContaining('setB') as string });
  });

  test('ask their gates one after another, and a rejection takes back what the other branch did', async () => {
    await serve(`
main:
  description: Asks twice
  changes: [service]
  steps:
    - parallel:
        - gate: { name: one, asks: One?, roles: [lead] }
        - gate: { name: two, asks: Two?, roles: [lead] }
        - { action: set, with: { key: a, value: 1 }, undo: own }
`);
    const failure = await failureOf(
      run(ON_SERVICE, async (handle) => {
        await eventually(
          async () => world.log,
          (log) => log.includes('set a=1'),
        );
        await decideGate('approve')(handle);
        await decideGate('reject')(handle);
      }),
    );
    expect(failure).toMatchObject({ type: 'GateNotApproved', message: expect.stringContaining('two') as string });
    expect(world.log.filter((line) => line.startsWith('set'))).toEqual(['set a=1', 'set a=0']);
  });
});

describe('a runbook within a runbook', () => {
  test('has parameters of its own and changes under the lease of the whole', async () => {
    await serve(`
main:
  description: Calls
  parameters: { value: { type: int, default: 2, description: what a becomes } }
  steps:
    - { name: call, runbook: setter, with: { key: a, to: '\${parameters.value + 1}' } }
setter:
  description: Sets a key
  changes: [service]
  parameters:
    key: { description: which }
    to: { type: int, description: what it becomes }
    twice: { type: bool, default: false, description: once more }
  steps:
    - { name: it, action: set, with: { key: '\${parameters.key}', value: '\${parameters.to}' }, undo: own }
    - { when: parameters.twice, action: note, with: { key: again } }
`);
    expect(outcomes(await run(ON_SERVICE))).toEqual(['call/it done', 'call/2 skipped', 'call done']);
    expect(world.log).toEqual(['plan', 'acquire shop', 'claim', 'set a=3']);
  });
});
