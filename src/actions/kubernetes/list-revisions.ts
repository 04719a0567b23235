import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { imagesText } from '../../domain/release/revisions.ts';
import { defineAction } from '../action.ts';
import { readRevisions } from './read-revisions.ts';

/** The former one is what `undoRollout` goes back to; 0 when there is none. */
export const listRevisions = defineAction({
  name: 'listRevisions',
  description: 'Lists the templates that a Deployment has had, the newest first, as kubectl rollout history does',
  group: 'kubernetes',
  parameters: z.strictObject({
    name: kubernetesName.describe('Name of the Deployment'),
    limit: z.int().min(1).max(50).default(10).describe('So many at most'),
  }),
  example: { name: 'shop' },
  output: z.object({
    count: z.int(),
    current: z.int(),
    former: z.int(),
    images: z.string(),
    formerImages: z.string(),
    changedAt: z.string(),
    ageSeconds: z.int(),
    revisions: z.array(
      z.object({
        revision: z.int(),
        images: z.record(z.string(), z.string()),
        createdAt: z.string(),
        replicas: z.int(),
        current: z.boolean(),
      }),
    ),
  }),
  changes: 'nothing',

  async run(context, { name, limit }) {
    const { revisions } = await readRevisions(context, name);
    const [newest, before] = revisions;
    const createdAt = newest!.createdAt;
    return {
      count: revisions.length,
      current: newest!.revision,
      former: before?.revision ?? 0,
      images: imagesText(newest!),
      formerImages: before ? imagesText(before) : '',
      changedAt: createdAt,
      ageSeconds: Math.max(0, Math.round((context.now() - Date.parse(createdAt)) / 1000)),
      revisions: revisions.slice(0, limit).map(({ revision, images, createdAt, replicas }) => ({
        ...{ revision, images, createdAt, replicas },
        current: revision === newest!.revision,
      })),
    };
  },
});
