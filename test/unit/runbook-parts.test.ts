import { ApplicationFailure } from '@temporalio/common';
import { watchUntil, type WatchResult } from '../../activities/watch-until.ts';
import { ExpressionFault } from '../../src/expressions/fault.ts';
import { hasHeld, look, type Watched } from '../../src/domain/runbook/hold.ts';
import { bytesOf, cutOutput } from '../../src/domain/runbook/output.ts';
import { fillParameters } from '../../src/domain/runbook/parameters.ts';
import { runbook } from '../../src/contracts/runbook.ts';

describe('parameters', () => {
  const { parameters: declared } = runbook.parse({
    description: 'D',
    parameters: {
      name: { description: 'a name' },
      count: { type: 'int', description: 'how many' },
      share: { type: 'double', default: 0.5, description: 'how much' },
      force: { type: 'bool', default: false, description: 'whether' },
    },
    steps: [{ wait: '1s' }],
  });

  test('are filled up with defaults, and read from texts where they are no texts', () => {
    expect(fillParameters(declared, { name: '7', count: '7', force: 'true' })).toEqual({
      parameters: { name: '7', count: 7, share: 0.5, force: true },
      faults: [],
    });
  });

  test('are refused one by one', () => {
    expect(fillParameters(declared, { name: 7, count: 2.5, share: 'half', forse: true }).faults).toEqual([
      'unknown parameter forse; there is: name, count, share, force',
      'parameter name: expected a text, got 7',
      'parameter count: expected a whole number, got 2.5',
      'parameter share: expected a number, got "half"',
    ]);
    expect(fillParameters(declared, { name: 'a' }).faults).toEqual([
      'missing parameter count (a whole number): how many',
    ]);
  });
});

describe('an output', () => {
  test('that fits stays as it is', () => {
    const output = { text: 'short', list: [1, 2], none: null };
    expect(cutOutput(output, 4096)).toEqual(output);
  });

  test('that does not fit keeps its shape: lists end earlier and texts are cut', () => {
    const output = {
      ok: true,
      lines: Array.from({ length: 5000 }, (_, index) => `line ${index}`),
      log: 'x'.repeat(9000),
    };
    const cut = cutOutput(output, 4096) as typeof output;
    expect(bytesOf(cut)).toBeLessThanOrEqual(4096);
    expect(cut.ok).toBe(true);
    expect(cut.lines[0]).toBe('line 0');
    expect(cut.log).toMatch(/^x+…$/);
  });

  test('has lists of at most a thousand even when there is room', () => {
    expect(
      cutOutput(
        Array.from({ length: 5000 }, () => 1),
        65_536,
      ),
    ).toHaveLength(1000);
  });

  test('that cannot be made to fit is left out', () => {
    expect(
      cutOutput(
        Array.from({ length: 30 }, () => ({ a: { b: { c: 1 } } })),
        1,
      ),
    ).toBeUndefined();
  });
});

describe('the time that a condition has held', () => {
  const after = (looks: [holds: boolean, at: number][], everyMs = 10_000): Watched =>
    looks.reduce<Watched>((state, [holds, at]) => look(state, holds, at, everyMs), { looks: 0 });

  test.each<[string, [boolean, number][], boolean]>([
    [
      'is over when it held at every look',
      [
        [true, 0],
        [true, 10_000],
        [true, 20_000],
      ],
      true,
    ],
    [
      'is not over before',
      [
        [true, 0],
        [true, 10_000],
      ],
      false,
    ],
    [
      'begins anew after a break',
      [
        [true, 0],
        [false, 10_000],
        [true, 20_000],
        [true, 30_000],
      ],
      false,
    ],
    [
      'ends with a look that does not hold',
      [
        [true, 0],
        [true, 10_000],
        [false, 20_000],
      ],
      false,
    ],
    [
      'begins anew when nobody looked for long',
      [
        [true, 0],
        [true, 100_000],
      ],
      false,
    ],
    [
      'goes on over a short gap',
      [
        [true, 0],
        [true, 60_000],
      ],
      true,
    ],
  ])('%s', (_what, looks, held) => {
    expect(hasHeld(after(looks), 20_000)).toBe(held);
  });

  test('of zero is over with the first look that holds', () => {
    expect(hasHeld(after([[true, 5]]), 0)).toBe(true);
  });
});

describe('watching a condition', () => {
  interface Watch {
    /** What each look finds, or throws; the last one repeats. */
    finds: (number | Error)[];
    holdsForMs?: number;
    former?: unknown;
  }

  /** Watches until a value is above 2, every ten seconds for two minutes, on a clock of its own. */
  async function watched({
    finds,
    holdsForMs = 0,
    former,
  }: Watch): Promise<WatchResult & { at: number; kept: Watched[] }> {
    let at = 0;
    let round = 0;
    const kept: Watched[] = [];
    const result = await watchUntil({
      async look() {
        const found = finds[Math.min(round++, finds.length - 1)];
        if (found instanceof Error) throw found;
        return { value: found };
      },
      holds(output) {
        const { value } = output as { value: number };
        if (value === 99) throw new ExpressionFault('No such key: value');
        return value > 2;
      },
      now: () => at,
      sleep: async (ms) => void (at += ms),
      remember: (state) => void kept.push(state),
      former,
      everyMs: 10_000,
      holdsForMs,
      deadline: 120_000,
    });
    return { ...result, at, kept };
  }
  const fails = (type: string) => ApplicationFailure.create({ type, message: `${type} for the test` });

  test('ends with the first look that holds', async () => {
    expect(await watched({ finds: [1, 2, 3] })).toMatchObject({
      held: true,
      looks: 3,
      output: { value: 3 },
      at: 20_000,
    });
  });

  test('ends only when it has held for its time without a break', async () => {
    expect(await watched({ finds: [3, 3, 1, 3, 3, 3, 3], holdsForMs: 30_000 })).toMatchObject({
      held: true,
      at: 60_000,
    });
  });

  test('ends at the deadline with what it saw last', async () => {
    expect(await watched({ finds: [1] })).toMatchObject({ held: false, looks: 13, output: { value: 1 }, at: 120_000 });
  });

  test('takes a look that fails, and an output without the value, as a no', async () => {
    expect(await watched({ finds: [3, fails('Unavailable'), 99, 3, 3], holdsForMs: 10_000 })).toMatchObject({
      held: true,
      at: 40_000,
    });
    expect(await watched({ finds: [99] })).toMatchObject({ held: false, fault: 'No such key: value' });
  });

  test('stops at once at a failure that no later look can change', async () => {
    await expect(watched({ finds: [1, fails('Forbidden')] })).rejects.toThrow('Forbidden for the test');
  });

  test('goes on after the death of its process with the time that it had held', async () => {
    const former: Watched = { looks: 4, lookedAt: -5_000, trueSince: -25_000 };
    expect(await watched({ finds: [3], holdsForMs: 30_000, former })).toMatchObject({
      held: true,
      looks: 6,
      at: 10_000,
    });
  });

  test('leaves its progress at every look', async () => {
    const { kept } = await watched({ finds: [1, 3] });
    expect(kept).toEqual([
      { looks: 1, lookedAt: 0 },
      { looks: 2, lookedAt: 10_000, trueSince: 10_000 },
    ]);
  });
});
