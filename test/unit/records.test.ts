import { parseRecords, recordOutcome, recordSwitch } from '../../src/domain/release/records.ts';
import { record } from '../support/live.ts';

const blue = record('v1', 'shop-blue');
const green = record('v2', 'shop-green', { outcome: 'soaking' });
const text = (records: { version: string; outcome: string }[]) =>
  records.map((each) => `${each.version} ${each.outcome}`);

test('the first switch records both releases', () => {
  expect(text(recordSwitch([], { record: green, previous: blue, previousOutcome: 'good' }))).toEqual([
    'v2 soaking',
    'v1 good',
  ]);
});

test('going back puts the old release in front and marks the other', () => {
  const back = {
    record: { ...blue, outcome: 'good' as const },
    previous: green,
    previousOutcome: 'rolled-back' as const,
  };
  expect(text(recordSwitch([green, blue], back))).toEqual(['v1 good', 'v2 rolled-back']);
});

test('without a word on what served, it is the newest record', () => {
  const next = record('v3', 'shop-blue', { outcome: 'soaking' });
  expect(text(recordSwitch([green, blue], { record: next, previousOutcome: 'good' }))).toEqual([
    'v3 soaking',
    'v2 good',
    'v1 good',
  ]);
});

test('the same color name with another image is another release', () => {
  const next = record('v3', 'shop-blue', { outcome: 'soaking' });
  const records = recordSwitch([green, blue], { record: next, previous: green, previousOutcome: 'good' });
  expect(records.map(({ version, deployment }) => `${version} ${deployment}`)).toEqual([
    'v3 shop-blue',
    'v2 shop-green',
    'v1 shop-blue',
  ]);
});

test('five releases are remembered', () => {
  const many = ['v9', 'v8', 'v7', 'v6', 'v5'].map((version) => record(version, 'shop-blue'));
  const records = recordSwitch(many, { record: green, previousOutcome: 'good' });
  expect(records.map(({ version }) => version)).toEqual(['v2', 'v9', 'v8', 'v7', 'v6']);
});

test('an outcome goes to the newest record of the Deployment', () => {
  const older = record('v0', 'shop-green');
  expect(text(recordOutcome([green, blue, older], 'shop-green', 'good')!)).toEqual(['v2 good', 'v1 good', 'v0 good']);
  expect(recordOutcome([blue], 'shop-green', 'good')).toBeUndefined();
});

test.each([[undefined], ['not json'], ['{"a":1}']])('%j holds no records', (annotation) => {
  expect(parseRecords(annotation)).toEqual([]);
});
