import { annotate, unannotate, type Operation } from '../../adapters/kubernetes/json-patch.ts';
import type { EnvironmentVariable, Metadata } from '../../domain/release/objects.ts';
import { MARKS } from '../../domain/release/state.ts';

// What variables were before a step changed them, by the step's key. It stays on the object that had the values anyway:
// a former literal may be a password, which must enter neither a plan nor a history.

/** Steps that nobody takes back leave their notes; all annotations of an object together have 256 KiB. */
const KEPT = 10;

/** By variable; null: there was none. */
export type FormerEnv = Record<string, EnvironmentVariable | null>;

export function readFormer({ annotations }: Metadata): Record<string, FormerEnv> {
  try {
    return JSON.parse(annotations?.[MARKS.formerEnv] ?? '{}') as Record<string, FormerEnv>;
  } catch {
    return {}; // Somebody wrote it by hand: what it said is lost, and with it nothing that serves.
  }
}

/** @param former undefined forgets what was kept under the key */
export function writeFormer(metadata: Metadata, key: string, former: FormerEnv | undefined): Operation[] {
  const { [key]: _replaced, ...others } = readFormer(metadata);
  const notes = Object.entries(others);
  const kept = former ? [...notes.slice(1 - KEPT), [key, former]] : notes;
  return kept.length === 0
    ? unannotate(metadata, MARKS.formerEnv)
    : annotate(metadata, { [MARKS.formerEnv]: JSON.stringify(Object.fromEntries(kept)) });
}
