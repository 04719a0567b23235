import type { Metadata } from '../../domain/release/objects.ts';

/** One operation of a JSON Patch (RFC 6902). */
export interface Operation {
  op: 'test' | 'add' | 'replace' | 'remove';
  path: string;
  value?: unknown;
}

/** A JSON Pointer (RFC 6901): `pointer('metadata', 'annotations', 'windlass.dev/fence')`. */
export const pointer = (...parts: string[]): string =>
  parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const test = (path: string, value: unknown): Operation => ({ op: 'test', path, value });

/** Tests that nobody changed the object since it was read. */
export const testUnchanged = ({ resourceVersion }: Metadata): Operation =>
  test(pointer('metadata', 'resourceVersion'), resourceVersion);

/** Sets annotations of an object; without any, the map itself must be made first. */
export function annotate(metadata: Metadata, annotations: Record<string, string>): Operation[] {
  if (!metadata.annotations) return [{ op: 'add', path: pointer('metadata', 'annotations'), value: annotations }];
  return Object.entries(annotations).map(([name, value]) => ({
    op: 'add',
    path: pointer('metadata', 'annotations', name),
    value,
  }));
}

/** Removes an annotation that is there; nothing otherwise, because removing what is absent fails a patch. */
export const unannotate = (metadata: Metadata, name: string): Operation[] =>
  metadata.annotations && name in metadata.annotations
    ? [{ op: 'remove', path: pointer('metadata', 'annotations', name) }]
    : [];
