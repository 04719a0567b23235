import { z } from 'zod';
import { defineAction } from '../action.ts';
import { evidence, keepEvidence, objectKey } from '../evidence.ts';

/** Look-before-repeat: the same text under the key of the step is stored once. */
export const keepText = defineAction({
  name: 'keepText',
  description: 'Keeps a text as evidence in the object store, and returns where',
  group: 'objects',
  parameters: z.strictObject({
    file: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected a file name, such as report.txt')
      .describe('Its name, under the key of the step'),
    text: z.string().min(1).max(100_000).describe('What is kept; never a secret'),
  }),
  example: { file: 'note.txt', text: 'The window began on time.' },
  output: z.object(evidence),
  changes: 'look-before-repeat',
  timeoutMs: 30_000,

  async plan({ place, key }, { file, text }) {
    return { lines: [`${text.length} characters are kept under ${objectKey(place.environment, key, file)}`] };
  },

  run: (context, { file, text }) => keepEvidence(context, file, text),
});
