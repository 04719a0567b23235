import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { duration, imageReference, name } from '../../contracts/scalars.ts';
import { formatDuration } from '../../domain/duration.ts';
import { jobManifest } from '../../domain/release/job.ts';
import { defineAction } from '../action.ts';
import { objectKey } from '../evidence.ts';
import { followJob } from './follow-job.ts';

const LONGEST_MS = 6 * 3_600_000;

/** Look-before-repeat: its name is made of the step's key, so that every attempt of the step means the same Job. */
export const runJob = defineAction({
  name: 'runJob',
  description: 'Runs a command in a pod of its own to its end; the log of one that fails is kept',
  group: 'kubernetes',
  parameters: z.strictObject({
    name: name.max(40).describe('The Job has this name and a mark of the step'),
    image: imageReference.describe('Image with the program'),
    command: z.array(z.string().max(2000)).min(1).max(100).describe('Program and arguments'),
    claims: z
      .record(z.string().regex(/^\/[\w./-]{1,200}$/, 'expected an absolute path, such as /logs'), kubernetesName)
      .default({})
      .describe('PersistentVolumeClaims, by the path at which the command finds them'),
    timeout: duration.prefault('10m').describe('After this it is ended and counts as failed, 6h at most'),
  }),
  example: {
    name: 'smoke',
    image: 'docker.io/windlass/sample:v1',
    command: ['node', '/app/job.js', '--expect', 'ok'],
    timeout: '60s',
  },
  output: z.object({ job: z.string(), outcome: z.string(), detail: z.string() }),
  changes: 'look-before-repeat',
  timeoutMs: LONGEST_MS + 60_000,

  async plan({ mark }, { name, image, command, claims, timeout }) {
    const on = Object.entries(claims).map(([path, claim]) => `, on claim ${claim} at ${path}`);
    const line = `Job ${nameOf(name, mark)} runs ${command.join(' ')} in ${image}${on.join('')}, for ${formatDuration(timeout)} at most`;
    return { lines: [line] };
  },

  async run(context, { name: prefix, image, command, claims, timeout }) {
    const { environment } = context.place;
    const name = nameOf(prefix, context.mark);
    const timeoutMs = Math.min(timeout, LONGEST_MS);
    const { outcome, detail, log } = await followJob(context, await context.cluster(), {
      namespace: environment.namespace,
      name,
      createdBy: context.key,
      timeoutMs,
      evidenceKey: objectKey(environment, context.key, 'job.log'),
      async manifest() {
        await context.assertFence();
        const job = { image, command, timeout: timeoutMs };
        return jobManifest({ name, job, claims, fill: {}, createdBy: context.key });
      },
    });
    if (outcome === 'succeeded') return { job: name, outcome, detail };
    throw failure('JobFailed', `Job ${name} ${outcome}: ${detail}${log ? `; its log: ${log.uri}` : ''}`, [
      { outcome, log },
    ]);
  },
});

const nameOf = (prefix: string, mark: string): string => `${prefix}-${mark}`;
