import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { PlannedChange } from '../../contracts/plan.ts';
import type { PlannedWrite } from '../../domain/release/planned-writes.ts';
import { redactLiterals } from '../../domain/release/redact.ts';
import { isFailure } from '../failure.ts';
import type { Cluster } from './cluster.ts';
import { pointer } from './json-patch.ts';
import type { Kind } from './kinds.ts';

/** A change that the API server would not take. */
export interface Rejection {
  kind: string;
  name: string;
  message: string;
}

/** A diff longer than this is cut: the plan enters the history. */
const MAX_DIFF = 12_000;

/**
 * Tries each change with `dryRun=All`, which runs admission, quota and validation and keeps nothing, and shows what
 * would come of it: a unified diff against what is there, or against what it is made from.
 * @param digest shows a literal of the environment
 * @throws Forbidden when the worker lacks a permission, Unavailable
 */
export async function previewChanges(
  cluster: Cluster,
  namespace: string,
  writes: PlannedWrite[],
  digest: (literal: string) => string,
): Promise<{ changes: PlannedChange[]; rejections: Rejection[] }> {
  const rejections: Rejection[] = [];
  const changes = await Promise.all(
    writes.map(async ({ manifest, like, selector, ...change }): Promise<PlannedChange> => {
      try {
        const [before, after] = selector
          ? [selector.service, await trySelector(cluster, namespace, selector)]
          : [like, manifest && (await cluster.create(change.kind as Kind, namespace, manifest, { dryRun: true }))];
        // No answer: an object of that name is there, left by a procedure before, and is replaced.
        const shown = after ?? manifest;
        return shown ? { ...change, diff: diffOf(change, before, shown, digest) } : change;
      } catch (error) {
        if (!isRejection(error)) throw error;
        rejections.push({ kind: change.kind, name: change.name, message: (error as Error).message });
        return change;
      }
    }),
  );
  return { changes, rejections };
}

const trySelector = (cluster: Cluster, namespace: string, { service, to }: NonNullable<PlannedWrite['selector']>) =>
  cluster.patch(
    'Service',
    namespace,
    service.metadata.name,
    [{ op: 'replace', path: pointer('spec', 'selector'), value: to }],
    { dryRun: true },
  );

/** Refused for what the object is, not for who asks: a missing permission names its rule in the details. */
const isRejection = (error: unknown): boolean =>
  isFailure(error, 'InvalidInput') || (isFailure(error, 'Forbidden') && !error.details?.length);

function diffOf(
  { kind, name }: Pick<PlannedChange, 'kind' | 'name'>,
  before: object | undefined,
  after: object,
  digest: (literal: string) => string,
): string {
  const text = (object: object | undefined): string =>
    object ? stringify(redactLiterals(withoutNoise(object), digest), { lineWidth: 0 }) : '';
  const file = `${kind}/${name}`;
  const diff = createTwoFilesPatch(file, file, text(before), text(after), undefined, undefined, { context: 2 });
  const body = diff.slice(diff.indexOf('---'));
  return body.length > MAX_DIFF ? `${body.slice(0, MAX_DIFF)}\n… ${body.length - MAX_DIFF} more characters` : body;
}

/** What the server adds to every object and changes by itself says nothing of a release. */
function withoutNoise(object: object): object {
  const { status: _status, ...rest } = object as { status?: unknown; metadata: Record<string, unknown> };
  const { uid, resourceVersion, creationTimestamp, generation, managedFields, selfLink, ...metadata } = rest.metadata;
  void [uid, resourceVersion, creationTimestamp, generation, managedFields, selfLink];
  return { ...rest, metadata };
}
