import { readBaseline, readProcedures, type Procedure } from '../../scripts/coverage/procedures.ts';
import {
  choose,
  numberedResults,
  passedNumbers,
  patternOf,
  prove,
  regressions,
  strays,
} from '../../scripts/coverage/proof.ts';
import { proofText } from '../../scripts/coverage/text.ts';
import type { JestReport } from '../../scripts/testing/report.ts';

const deploy: Procedure = {
  id: 'S-05',
  system: 'agent-system',
  title: 'Switch and soak',
  as: 'deployRelease',
  emulated: [],
  tests: { 'S-05.1': 'switches traffic', 'S-05.2': 'soaks' },
};
const untested: Procedure = { ...deploy, id: 'S-06', title: 'Rollback', emulated: ['slack'], tests: {} };

function reportOf(...tests: [title: string, status: string][]): JestReport {
  const assertionResults = tests.map(([title, status]) => ({ title, status }));
  return {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    testResults: [{ assertionResults }],
  };
}
const proofOf = (...tests: [string, string][]) => prove([deploy], numberedResults(reportOf(...tests)))[0]!;

describe('the proof of a procedure', () => {
  test('it is proved when every one of its numbered tests passed', () => {
    expect(proofOf(['S-05.1 switches', 'passed'], ['S-05.2 soaks', 'passed']).proved).toBe(true);
  });

  test.each([
    ['a test that did not run', [['S-05.1 switches', 'passed']]],
    [
      'a test that failed',
      [
        ['S-05.1 switches', 'passed'],
        ['S-05.2 soaks', 'failed'],
      ],
    ],
    [
      'a test that was skipped',
      [
        ['S-05.1 switches', 'passed'],
        ['S-05.2 soaks', 'pending'],
      ],
    ],
    [
      'a second test of the same number that failed',
      [
        ['S-05.1 a', 'passed'],
        ['S-05.1 b', 'failed'],
        ['S-05.2 c', 'passed'],
      ],
    ],
    [
      'a number that only begins the same',
      [
        ['S-05.1 switches', 'passed'],
        ['S-05.21 soaks', 'passed'],
      ],
    ],
    [
      'a number in the middle of a title',
      [
        ['S-05.1 switches', 'passed'],
        ['also S-05.2 soaks', 'passed'],
      ],
    ],
  ] as [string, [string, string][]][])('it is not proved with %s', (_, tests) => {
    expect(proofOf(...tests).proved).toBe(false);
  });

  test('a procedure without tests is never proved, also not without a report', () => {
    expect(prove([untested], numberedResults(undefined))[0]).toMatchObject({ id: 'S-06', proved: false, tests: [] });
  });

  test('each of its tests carries its own status', () => {
    expect(proofOf(['S-05.1 switches', 'failed']).tests).toEqual([
      { number: 'S-05.1', shows: 'switches traffic', status: 'failed' },
      { number: 'S-05.2', shows: 'soaks', status: 'missing' },
    ]);
  });
});

test('a procedure of the baseline that is not proved, or not listed, has regressed', () => {
  const proofs = [proofOf(['S-05.1 switches', 'passed'], ['S-05.2 soaks', 'passed']), ...prove([untested], new Map())];
  expect(regressions(['S-05', 'S-06', 'S-99'], proofs)).toEqual(['S-06', 'S-99']);
});

test('a numbered test that no procedure lists is a stray', () => {
  const results = numberedResults(reportOf(['S-05.1 switches', 'passed'], ['S-05.9 flies', 'passed']));
  expect(strays([deploy], results)).toEqual(['S-05.9']);
});

test('only tests that passed are run again without effects', () => {
  const results = numberedResults(reportOf(['S-05.1 switches', 'passed'], ['S-05.2 soaks', 'failed']));
  expect(passedNumbers(results)).toEqual(['S-05.1']);
});

test('the name pattern selects exactly the numbers given, inside a describe or not', () => {
  const pattern = patternOf(['S-05.1', 'S-06.2']);
  expect(['S-05.1 a', 'release S-06.2 b'].every((name) => pattern.test(name))).toBe(true);
  expect(['S-05.11 a', 'S-05x1 a', 'XS-05.1 a'].some((name) => pattern.test(name))).toBe(false);
});

test('the text names per system what is proved and which tests are open', () => {
  const text = proofText([proofOf(['S-05.1 switches', 'passed']), ...prove([untested], new Map())]);
  expect(text).toContain('agent-system: 0 of 2 proved');
  expect(text).toMatch(/OPEN +S-05 .*\n +S-05\.2 missing: soaks\n +- +S-06 +Rollback \(emulated: slack\)/);
});

describe('coverage.yaml', () => {
  const procedures = readProcedures();

  test('lists every procedure of the five runbooks', () => {
    const numbers = (letter: string) => procedures.filter(({ id }) => id.startsWith(letter)).map(({ id }) => id);
    const expected = (letter: string, last: number) =>
      Array.from({ length: last }, (_, index) => `${letter}-${String(index + 1).padStart(2, '0')}`);
    for (const [letter, last] of Object.entries({ H: 33, S: 28, L: 21, P: 23, A: 21 })) {
      expect(numbers(letter)).toEqual(expected(letter, last));
    }
  });

  test('numbers the tests of a procedure without a gap', () => {
    for (const { id, tests } of procedures) {
      expect(Object.keys(tests)).toEqual(Object.keys(tests).map((_, index) => `${id}.${index + 1}`));
    }
  });

  test('lists every procedure that the baseline claims, with tests', () => {
    const tested = procedures.filter(({ tests }) => Object.keys(tests).length > 0).map(({ id }) => id);
    expect(readBaseline().filter((id) => !tested.includes(id))).toEqual([]);
  });

  test.each([
    ['an ID twice', 'a:\n  - {id: S-01, title: t, as: x}\n  - {id: S-01, title: t, as: x}', 'S-01 is listed twice'],
    [
      'a test under another ID',
      "a:\n  - {id: S-01, title: t, as: x, tests: {'S-02.1': y}}",
      'S-02.1 is listed under S-01',
    ],
    ['an unknown field', 'a:\n  - {id: S-01, title: t, as: x, test: {}}', 'Unrecognized key'],
  ])('is refused with %s', (_, text, message) => {
    expect(() => readProcedures(text)).toThrow(message);
  });
});

test('tests are chosen by number or by procedure, and what means none is named', () => {
  const passed = ['S-05.1', 'S-05.2', 'S-06.1', 'S-05.10'];
  expect(choose(['S-05.1', 'S-06'], passed)).toEqual({ numbers: ['S-05.1', 'S-06.1'], without: [] });
  expect(choose(['S-05', 'S-07', 'S-0'], passed)).toEqual({
    numbers: ['S-05.1', 'S-05.2', 'S-05.10'],
    without: ['S-07', 'S-0'],
  });
  expect(choose([], passed)).toEqual({ numbers: passed, without: [] });
});
