import { isAlias, isMap, isScalar, isSeq, type Document, type Node } from 'yaml';
import type { CatalogFile } from './parse.ts';

type Path = readonly PropertyKey[];
type Found = { file: CatalogFile; node: Node; key?: Node };

/**
 * Where a value comes from: the file and position of the deepest part of `path` that is written somewhere.
 * @param layers the system's file, then its overlays; a later one wins where it says something
 * @param what the value itself, or the key that holds it
 */
export function locate(layers: readonly CatalogFile[], path: Path, what: 'value' | 'key' = 'value'): string {
  let candidates = roots(layers);
  let found = candidates[0];
  let complete = true;
  for (const step of path) {
    candidates = replaced(candidates.flatMap((each) => child(each, step)));
    if (candidates.length === 0) {
      complete = false;
      break;
    }
    found = candidates[0]!;
  }
  if (!found) return `${layers[0]!.path}:1:1`;
  // What is missing is missing under a key; the value of that key starts a line below and points at something else.
  const node = complete && what === 'value' ? found.node : (found.key ?? found.node);
  return found.file.position(node.range?.[0] ?? 0);
}

/** Latest first, as precedence has it. */
function roots(layers: readonly CatalogFile[]): Found[] {
  return layers
    .filter((file) => file.document.contents !== null)
    .map((file) => ({ file, node: file.document.contents as Node }))
    .reverse();
}

/** An overlay's list or scalar hides what lies below it; its maps do not. */
function replaced(candidates: Found[]): Found[] {
  const end = candidates.findIndex(({ file, node }) => !isMap(resolve(file.document, node)));
  return end < 0 ? candidates : candidates.slice(0, end + 1);
}

function child({ file, node }: Found, step: PropertyKey): Found[] {
  const collection = resolve(file.document, node);
  if (isMap(collection)) {
    const pair = collection.items.find((item) => isScalar(item.key) && item.key.value === step);
    if (!pair) return [];
    const name = pair.key as Node;
    return [{ file, node: (pair.value as Node | null) ?? name, key: name }];
  }
  const item = isSeq(collection) ? collection.items[Number(step)] : undefined;
  return item ? [{ file, node: item as Node, key: item as Node }] : [];
}

const resolve = (document: Document, node: Node): Node | undefined => (isAlias(node) ? node.resolve(document) : node);
