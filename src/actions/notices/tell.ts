import { z } from 'zod';
import { name } from '../../contracts/scalars.ts';
import { defineAction } from '../action.ts';

/**
 * May-repeat: chat has no idempotency key. A repeated message ends with the same key, by which people know it; where the
 * vendor offers more, see `tellChannels`.
 */
export const tell = defineAction({
  name: 'tell',
  description: 'Sends a message to channels of the catalog; one that stays silent is named and fails nothing',
  group: 'notices',
  parameters: z.strictObject({
    channels: z.array(name).min(1).max(10).describe('Channels of the catalog'),
    text: z.string().trim().min(1).max(3000).describe('The message'),
    subject: z
      .strictObject({
        id: z.string().min(1).max(200),
        title: z.string().trim().min(1).max(200),
        state: z.enum(['open', 'update', 'resolved']).default('update'),
        severity: z.enum(['critical', 'error', 'warning', 'info']).default('warning'),
      })
      .optional()
      .describe(
        'What it is about, if several messages tell its course: an alert at PagerDuty, an incident on a status page, a thread of e-mails. `id` is the same in all of them, `state` one of open, update and resolved',
      ),
  }),
  example: { channels: ['slack'], text: 'Maintenance of the shop begins.' },
  output: z.object({
    delivered: z.array(z.string()),
    failed: z.array(z.object({ channel: z.string(), error: z.string() })),
  }),
  changes: 'may-repeat',
  timeoutMs: 20_000,

  async plan(_context, { channels, text }) {
    return { lines: channels.map((channel) => `${channel} is told: ${text}`) };
  },

  run: (context, { channels, text, subject }) => context.tell(channels, text, subject),
});
