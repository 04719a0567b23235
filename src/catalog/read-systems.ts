import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { systemSchema } from '../contracts/catalog.ts';
import { problemsOf, quote, type Problem } from './issues.ts';
import { systemJsonSchema } from './json-schema.ts';
import type { LoadedSystem } from './catalog.ts';
import { locate } from './locate.ts';
import { isMap, merge } from './merge.ts';
import type { CatalogFile } from './parse.ts';
import { referenceProblems } from './references.ts';

/** A system's file with the overlays on it, in the order they apply. */
type Layers = [CatalogFile, ...CatalogFile[]];

/**
 * The systems that files and overlays describe.
 * @returns every problem of every file, a line each; systems with problems are left out
 */
export function readSystems(
  files: CatalogFile[],
  overlays: CatalogFile[],
): {
  systems: Map<string, LoadedSystem>;
  problems: string[];
} {
  const problems = [...files, ...overlays].flatMap((file) => file.problems);
  const systems = new Map<string, LoadedSystem>();
  const nameOf = (file: CatalogFile) => basename(file.path).replace(/\.ya?ml$/, '');

  for (const file of files.filter(isReadable)) {
    const mine = overlays.filter((overlay) => isReadable(overlay) && overlayOf(overlay) === nameOf(file));
    const { loaded, faults } = readSystem([file, ...mine], nameOf(file));
    problems.push(...faults);
    if (loaded && systems.has(nameOf(file)))
      problems.push(`${file.path}:1:1: expected one file of this system, got two`);
    if (loaded) systems.set(nameOf(file), loaded);
  }
  const names = files.map(nameOf);
  for (const overlay of overlays.filter(isReadable)) {
    const name = overlayOf(overlay);
    if (typeof name !== 'string' || !names.includes(name)) {
      problems.push(
        `${locate([overlay], ['overlayOf'])}: expected overlayOf with one of ${names.join(', ')}, got ${quote(name ?? null)}`,
      );
    }
  }
  return { systems, problems };
}

const isReadable = (file: CatalogFile) => file.problems.length === 0;
const overlayOf = (file: CatalogFile): unknown => (isMap(file.value) ? file.value['overlayOf'] : undefined);

function readSystem(layers: Layers, name: string): { loaded?: LoadedSystem; faults: string[] } {
  const [file, ...overlays] = layers;
  const value = overlays.reduce((merged, overlay) => merge(merged, changesOf(overlay)), file.value);
  const parsed = systemSchema.safeParse(value);
  const problems: Problem[] = parsed.success
    ? referenceProblems(parsed.data)
    : problemsOf(parsed.error.issues, value, systemJsonSchema());
  if (parsed.success && parsed.data.system !== name) {
    const message = `expected the name of the file, "${name}", got ${quote(parsed.data.system)}`;
    problems.push({ path: ['system'], at: 'value', message });
  }
  const faults = problems.map(({ path, at, message }) => `${locate(layers, path, at)}: ${dotted(path)}${message}`);
  if (!parsed.success || faults.length > 0) return { faults };
  const source = layers.map((layer) => layer.text).join('---\n');
  const digest = `sha256:${createHash('sha256').update(source).digest('hex')}`;
  return { loaded: { catalog: parsed.data, source, digest }, faults };
}

function changesOf(overlay: CatalogFile): unknown {
  const { overlayOf: _, ...changes } = overlay.value as Record<string, unknown>;
  return changes;
}

const dotted = (path: PropertyKey[]) => (path.length === 0 ? '' : `${path.join('.')}: `);
