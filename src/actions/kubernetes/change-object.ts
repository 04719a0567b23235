import type { Kind, Kinds } from '../../adapters/kubernetes/kinds.ts';
import { failure } from '../../adapters/failure.ts';
import { testUnchanged, type Operation } from '../../adapters/kubernetes/json-patch.ts';
import type { ActionCall } from '../../contracts/runbook.ts';
import type { ActionContext, ActionPlan } from '../action.ts';

/** Somebody else writes the object at the same time; after so many rounds the attempt gives up, and is repeated. */
const ROUNDS = 5;

/** What is to be done to an object as it was read. */
export interface Change {
  /** For people, one line each: `Deployment api: 2 → 5 replicas`. */
  lines: string[];
  operations: Operation[];
  /** The call that takes it back. */
  undo?: ActionCall;
}

/** Undefined when there is nothing to do. Pure; throws a named failure when it must not be done. */
export type Decide<K extends Kind> = (object: Kinds[K]) => Change | undefined;

/** What `changeObject` would do now. @throws NotFound, Forbidden, Unavailable, and what `decide` does */
export async function planChange<K extends Kind>(
  context: ActionContext,
  { kind, name }: { kind: K; name: string },
  decide: Decide<K>,
): Promise<ActionPlan> {
  const cluster = await context.cluster();
  const change = decide(await cluster.read(kind, context.place.environment.namespace, name));
  if (!change) return { lines: [] };
  return { lines: change.lines, ...(change.undo ? { undo: change.undo } : {}) };
}

/**
 * Changes one object: reads it, lets `decide` say what to do, checks the fence, and patches under a test that nobody
 * changed it since it was read. The fence comes after the read: whoever takes the lease in between is seen here, and
 * whoever changes the object later makes the patch miss. Convergent when `decide` is: a process that dies before or
 * after the patch leaves an object that the next attempt reads.
 * @returns the object as it was read first, and after the change; `lines` of what was done, none when there was nothing
 * @throws Fenced, NotFound, Forbidden, InvalidInput, Unavailable, and what `decide` does
 */
export async function changeObject<K extends Kind>(
  context: ActionContext,
  { kind, name }: { kind: K; name: string },
  decide: Decide<K>,
): Promise<{ before: Kinds[K]; after: Kinds[K]; lines: string[] }> {
  const cluster = await context.cluster();
  const { namespace } = context.place.environment;
  let before: Kinds[K] | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const read = await cluster.read(kind, namespace, name);
    before ??= read;
    const change = decide(read);
    if (!change) return { before, after: read, lines: [] };
    await context.assertFence();
    const patch = [testUnchanged(read.metadata), ...change.operations];
    const after = await cluster.patch(kind, namespace, name, patch);
    if (after) return { before, after, lines: change.lines };
  }
  throw failure('Unavailable', `${kind} ${name} is being changed by others all the time.`);
}
