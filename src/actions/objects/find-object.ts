import { z } from 'zod';
import { defineAction } from '../action.ts';
import { evidence } from '../evidence.ts';

/** Its digest is computed from what the store gives back, not taken from what the store says of it. */
export const findObject = defineAction({
  name: 'findObject',
  description: 'Looks whether the object store has something under a key, and reads its digest and size',
  group: 'objects',
  parameters: z.strictObject({ key: z.string().min(1).max(1024).describe('Without the bucket: deploy/…/job.log') }),
  example: { key: 'steps/sandbox/local/note.txt' },
  output: z.object({ found: z.boolean(), ...evidence }),
  changes: 'nothing',
  timeoutMs: 30_000,

  async run({ objects }, { key }) {
    const found = await objects.find(key);
    return found ? { found: true, ...found } : { found: false, uri: '', sha256: '', bytes: 0, contentType: '' };
  },
});
