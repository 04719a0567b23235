import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from '../testing/tools.ts';

const COVERAGE = join(ROOT, 'test/acceptance/coverage.yaml');
const BASELINE = join(ROOT, 'test/acceptance/proved.json');

const procedure = z.strictObject({
  id: z.string().regex(/^[A-Z]-\d{2}$/),
  title: z.string(),
  /** The procedure (workflow type) or building block that does it. */
  as: z.string(),
  /** Services that the sandbox only imitates. */
  emulated: z.array(z.string()).default([]),
  /** Number of a test (`S-05.3`) → what it shows. */
  tests: z.record(z.string().regex(/^[A-Z]-\d{2}\.\d+$/), z.string()).default({}),
});

/** A procedure of a runbook, as test/acceptance/coverage.yaml lists it. */
export type Procedure = z.infer<typeof procedure> & { system: string };

/**
 * The procedures of all runbooks, in the order of the file.
 * @param text the file's content; test/acceptance/coverage.yaml when absent
 * @throws Error when the file has another shape, an ID twice, or a test under another procedure than its number says
 */
export function readProcedures(text = readFileSync(COVERAGE, 'utf8')): Procedure[] {
  const systems = z.record(z.string(), z.array(procedure)).parse(parse(text));
  const procedures = Object.entries(systems).flatMap(([system, list]) => list.map((one) => ({ ...one, system })));

  const seen = new Set<string>();
  for (const { id, tests } of procedures) {
    if (seen.has(id)) throw new Error(`${id} is listed twice`);
    seen.add(id);
    const stray = Object.keys(tests).find((number) => !number.startsWith(`${id}.`));
    if (stray) throw new Error(`test ${stray} is listed under ${id}`);
  }
  return procedures;
}

/** IDs that were proved once and must stay so: test/acceptance/proved.json. */
export function readBaseline(): string[] {
  return z.array(z.string()).parse(JSON.parse(readFileSync(BASELINE, 'utf8')));
}
