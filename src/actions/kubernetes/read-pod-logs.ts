import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { defineAction } from '../action.ts';
import { evidence, keepEvidence } from '../evidence.ts';
import { podSelection, selectSomePods } from './select-pods.ts';

const PODS = 5;
const BYTES = 512 * 1024;

/** A log may be large and may say too much: all of it goes to the object store, and its end only is shown. */
export const readPodLogs = defineAction({
  name: 'readPodLogs',
  description: 'Keeps the logs of pods in the object store, and returns where, and their last lines',
  group: 'kubernetes',
  parameters: z.strictObject({
    ...podSelection,
    container: kubernetesName.optional().describe('Only this container'),
    previous: z.boolean().default(false).describe('Of the former run, before the last restart'),
    lines: z.int().min(1).max(5_000).default(1_000).describe('So many last lines of each container are kept'),
    containing: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Only lines with this text, in letters of any case, are counted and returned; all are kept'),
    show: z.int().min(0).max(50).default(10).describe('So many last lines of all are returned'),
  }),
  example: { workload: 'shop', lines: 200 },
  output: z.object({ ...evidence, pods: z.array(z.string()), matches: z.int(), last: z.array(z.string()) }),
  changes: 'nothing',
  timeoutMs: 60_000,

  async run(context, { container, previous, lines, containing, show, ...selection }) {
    const cluster = await context.cluster();
    const pods = (await selectSomePods(context, selection)).slice(0, PODS);
    const logs: string[] = [];
    for (const { metadata, spec } of pods) {
      for (const { name } of spec?.containers ?? []) {
        if (container !== undefined && name !== container) continue;
        context.heartbeat();
        const text = await cluster.log(metadata.namespace, metadata.name, name, { lines, bytes: BYTES, previous });
        if (text) logs.push(`==> ${metadata.name}/${name}${previous ? ' (former run)' : ''}\n${text.trimEnd()}`);
      }
    }
    if (logs.length === 0) throw failure('NotFound', `none of ${pods.length} pods has such a log.`);
    const body = logs.join('\n\n');
    const kept = await keepEvidence(context, 'pods.log', body);
    const found = containing === undefined ? body.split('\n') : linesWith(body, containing);
    const last = show === 0 ? [] : found.slice(-show).map(shorten);
    return { ...kept, pods: pods.map(({ metadata }) => metadata.name), matches: found.length, last };
  },
});

/** Plain text: a regular expression of a catalog could take for ever on a line of a log. */
function linesWith(body: string, text: string): string[] {
  const wanted = text.toLowerCase();
  return body.split('\n').filter((line) => line.toLowerCase().includes(wanted));
}

const shorten = (line: string): string => (line.length > 300 ? `${line.slice(0, 300)}…` : line);
