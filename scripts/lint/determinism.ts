// Determinism. A workflow is replayed from its history, perhaps on another machine and days later: what it decides may
// depend on its input, on results and on time as Temporal tells it, and on nothing else.
import type { Linter } from 'eslint';

const ELSEWHERE = 'it gives another answer on replay. Do it in an activity, or pass the value in.';
const CLOCK = 'pure code does not read the clock: take the time as a parameter (`at`).';
const CHANCE = 'pure code has no chance in it: take the value as a parameter.';
const TIMER = 'pure code does not wait: return when, and let the workflow sleep.';
const ZONE = 'this reads the time zone of the machine: use the getUTC… twin, or a named zone.';

// What reaches outside the program. Temporal replaces Date, Math.random and timers in workflows, but not these.
const OUTSIDE = ['process', 'fetch', 'crypto', 'performance', 'require', 'XMLHttpRequest', 'WebSocket', 'setImmediate'];
// Collected at a time nobody controls, so their effects differ between runs.
const GARBAGE = ['WeakRef', 'FinalizationRegistry'];

const outside = [...OUTSIDE, ...GARBAGE].map((name) => ({ name, message: ELSEWHERE }));
const timers = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'].map((name) => ({ name, message: TIMER }));

const machineZone = {
  selector:
    'CallExpression[callee.property.name=/^([gs]et(FullYear|Month|Date|Day|Hours|Minutes)|getTimezoneOffset|toLocale(Date|Time)?String)$/]',
  message: ZONE,
};

/** Rules for `workflows/`. */
export const deterministic: Linter.RulesRecord = {
  'no-restricted-globals': ['error', ...outside],
  'no-restricted-syntax': ['error', machineZone],
};

/** Rules for `src/contracts` and `src/domain`: as for workflows, and neither clock nor chance nor timers. */
export const pure: Linter.RulesRecord = {
  'no-restricted-globals': ['error', ...outside, ...timers],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: CLOCK },
    { object: 'Math', property: 'random', message: CHANCE },
  ],
  'no-restricted-syntax': [
    'error',
    machineZone,
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: CLOCK },
    { selector: 'CallExpression[callee.name="Date"]', message: CLOCK },
  ],
};
