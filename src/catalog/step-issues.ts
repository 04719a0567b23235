import type { z } from 'zod';
import { suggest } from './suggest.ts';

/** Kinds of steps in the order of the union in src/contracts/runbook.ts; the last one is missing within a parallel step. */
const KINDS = ['action', 'gate', 'wait', 'until', 'runbook', 'parallel'];

/**
 * Which of the branches of the union of steps was meant: the one whose key is there.
 * @returns its issues, or what is wrong when there is none, or more than one
 */
export function stepMeant(branches: z.core.$ZodIssue[][], value: unknown): z.core.$ZodIssue[] | string {
  const kinds = KINDS.slice(0, branches.length);
  const keys = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const found = kinds.filter((kind) => keys.includes(kind));
  if (found.length === 1) return branches[kinds.indexOf(found[0]!)]!;
  const hint = keys.map((key) => suggest(key, kinds)).find((text) => text !== '') ?? '';
  const got = found.length > 1 ? `, got ${found.join(' and ')}` : keys.length > 0 ? `, got ${keys.join(', ')}` : '';
  return `expected exactly one of ${kinds.join(', ')}${got}${found.length === 0 ? hint : ''}`;
}
