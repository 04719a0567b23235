import { z } from 'zod';
import { defineAction } from '../action.ts';
import { evidence, keepEvidence, objectKey } from '../evidence.ts';
import { judged, orFail, verdict } from '../verdict.ts';

const FILE = 'checks.json';

/** Look-before-repeat, as `keepText`: the same findings under the key of the step are stored once. */
export const reportChecks = defineAction({
  name: 'reportChecks',
  description: 'Makes one report of what several checks found, keeps it as evidence, and judges all of them',
  group: 'objects',
  parameters: z.strictObject({
    title: z.string().min(1).max(200).describe('What was checked'),
    checks: z
      .record(z.string().min(1).max(64), z.array(z.string().max(2000)).max(100))
      .refine((checks) => Object.keys(checks).length > 0, 'expected at least one check')
      .describe('Faults by check: `${steps.<name>.output.faults}`; none of them is well'),
    orFail,
  }),
  example: { title: 'The shop', checks: { api: [], database: ['it does not answer'] } },
  output: z.object({ ...verdict, well: z.array(z.string()), unwell: z.array(z.string()), ...evidence }),
  changes: 'look-before-repeat',
  timeoutMs: 30_000,

  async plan({ place, key }, { checks }) {
    const names = Object.keys(checks).join(', ');
    return { lines: [`a report of ${names} is kept under ${objectKey(place.environment, key, FILE)}`] };
  },

  async run(context, { title, checks, orFail }) {
    const named = Object.entries(checks).map(([name, faults]) => ({ name, ok: faults.length === 0, faults }));
    const report = { title, ok: named.every(({ ok }) => ok), checks: named };
    // Kept before it is judged: what was found counts most when something is wrong.
    const kept = await keepEvidence(context, FILE, JSON.stringify(report, undefined, 2), 'application/json');
    const faults = named.flatMap((check) => check.faults.map((fault) => `${check.name}: ${fault}`));
    const namesOf = (ok: boolean): string[] => named.filter((check) => check.ok === ok).map(({ name }) => name);
    return { ...judged(faults, orFail), well: namesOf(true), unwell: namesOf(false), ...kept };
  },
});
