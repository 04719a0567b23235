import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { annotate } from '../../adapters/kubernetes/json-patch.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { Deployment } from '../../domain/release/objects.ts';
import { deployableTemplate, imagesText, type Revision } from '../../domain/release/revisions.ts';
import { MARKS } from '../../domain/release/state.ts';
import { defineAction, type ActionContext } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';
import { readRevisions } from './read-revisions.ts';
import { changed } from './workload.ts';

/**
 * As `kubectl rollout undo`, but once per step: what was the former revision is the newest one afterwards, so a second
 * attempt without the mark, which is written in the same patch, would bring the bad one back. Back again goes by number:
 * the revision that was left keeps its own.
 */
export const undoRollout = defineAction({
  name: 'undoRollout',
  description: 'Gives a Deployment the template of a former revision, whose pods then replace the present ones',
  group: 'kubernetes',
  parameters: z.strictObject({
    name: kubernetesName.describe('Name of the Deployment'),
    toRevision: z
      .int()
      .min(1)
      .optional()
      .describe('Number of the revision, as listRevisions shows it; absent: the one before the present'),
  }),
  example: { name: 'shop' },
  output: changed,
  changes: 'look-before-repeat',

  async plan(context, parameters) {
    if (await isDone(context, parameters.name)) return { lines: [] };
    return planChange(context, { kind: 'Deployment', name: parameters.name }, await wayBack(context, parameters));
  },

  async run(context, parameters) {
    const { name } = parameters;
    if (await isDone(context, name)) return { changed: false, changes: [] };
    const { lines } = await changeObject(context, { kind: 'Deployment', name }, await wayBack(context, parameters));
    return { changed: lines.length > 0, changes: lines };
  },
});

/**
 * Before its revisions are asked for: right after the patch the controller may not have numbered them yet, and of a paused
 * rollout it numbers none.
 * @throws Refused when the rollout is paused
 */
async function isDone(context: ActionContext, name: string): Promise<boolean> {
  const cluster = await context.cluster();
  const deployment = await cluster.read('Deployment', context.place.environment.namespace, name);
  if (isMarked(deployment, context.key)) return true;
  if (deployment.spec.paused)
    throw failure('Refused', `The rollout of Deployment ${name} is paused: resume it first, or nothing would follow.`);
  return false;
}

const isMarked = ({ metadata }: Deployment, key: string): boolean => metadata.annotations?.[MARKS.undone] === key;

/** @throws NotFound when there is no such revision */
async function wayBack(
  context: ActionContext,
  { name, toRevision }: { name: string; toRevision?: number | undefined },
): Promise<(deployment: Deployment) => Change | undefined> {
  const { deployment: seen, revisions } = await readRevisions(context, name);
  const present = revisions[0]!;
  const wanted = findRevision(name, revisions, toRevision);
  return (deployment) => {
    if (isMarked(deployment, context.key)) return undefined;
    if (deployment.metadata.generation !== seen.metadata.generation)
      throw failure('Unavailable', `Deployment ${name} was changed since its revisions were read.`);
    if (wanted.revision === present.revision) return undefined;
    return {
      lines: [
        `Deployment ${name}: revision ${present.revision} (${imagesText(present)}) → ${wanted.revision} (${imagesText(wanted)})`,
      ],
      operations: [
        { op: 'replace', path: '/spec/template', value: deployableTemplate(wanted) },
        ...annotate(deployment.metadata, { [MARKS.undone]: context.key }),
      ],
      undo: { action: 'undoRollout', with: { name, toRevision: present.revision } },
    };
  };
}

function findRevision(name: string, revisions: Revision[], wanted: number | undefined): Revision {
  const found = wanted === undefined ? revisions[1] : revisions.find(({ revision }) => revision === wanted);
  if (found) return found;
  const kept = revisions.map(({ revision }) => revision).join(', ');
  throw failure(
    'NotFound',
    `Deployment ${name} has no ${wanted === undefined ? 'former revision' : `revision ${wanted}`}; it has ${kept}.`,
  );
}
