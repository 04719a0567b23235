import { judgeMove, mixedTime } from '../../scripts/bench/moves.ts';
import type { Opening } from '../../scripts/load/load-report.ts';

const opened = (version: string, ...times: number[]): Opening[] => times.map((at) => ({ at, version }));

test('a move counts what was opened from the switch on, for five seconds', () => {
  const openings = [
    ...opened('v1', 900, 999, 1000, 1040),
    ...opened('v2', 990, 1041, 3000, 5999),
    ...opened('v1', 6000),
  ];
  expect(judgeMove(openings, 1000, 'v1', 'v2')).toEqual({
    from: 'v1',
    to: 'v2',
    switchedAt: '1970-01-01T00:00:01.000Z',
    within5s: { connections: 5, onNew: 3, share: 0.6 },
    lastOldAfterMs: 40,
  });
});

test('a move after which the old version answered nothing', () => {
  const move = judgeMove([...opened('v1', 999), ...opened('v2', 1000, 2000)], 1000, 'v1', 'v2');
  expect(move).toMatchObject({ within5s: { connections: 2, onNew: 2, share: 1 }, lastOldAfterMs: 0 });
});

test('an answer of a third version is none of the new one', () => {
  const move = judgeMove([...opened('v2', 1000), ...opened('v3', 1001)], 1000, 'v1', 'v2');
  expect(move.within5s).toEqual({ connections: 2, onNew: 1, share: 0.5 });
});

test('without connections there is no move to judge', () => {
  expect(() => judgeMove(opened('v1', 999, 6000), 1000, 'v1', 'v2')).toThrow('no connection was opened');
});

test.each([
  ['both for a while, answered in any order', [...opened('v2', 40, 10, 90), ...opened('v1', 0, 60, 20)], 50],
  ['one after the other', [...opened('v1', 0, 20), ...opened('v2', 30)], 0],
])('the time of two versions: %s', (_, openings, expected) => {
  expect(mixedTime(openings, 'v1', 'v2')).toBe(expected);
});

test('an update that served one version only has no mixed time', () => {
  expect(() => mixedTime(opened('v1', 1), 'v1', 'v2')).toThrow('expected connections to v1 and to v2');
});
