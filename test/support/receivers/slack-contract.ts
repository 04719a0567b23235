import { z } from 'zod';

/**
 * What Slack's incoming webhooks accept and answer, from its published pages:
 * - errors and their status codes: api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks and
 *   docs.slack.dev/messaging/sending-messages-using-incoming-webhooks;
 * - sizes: docs.slack.dev/reference/block-kit (50 blocks; section 3,000, header 150, field 2,000 characters; …), and of buttons (docs.slack.dev/reference/block-kit/block-elements).
 *
 * Stricter than Slack where Slack would hide a mistake: fields it drops silently (`channel`, `username` and icons belong to
 * the app) are refused as `invalid_payload`, and a text that it would cut as `msg_too_long`. Not covered: Slack's form encoding.
 */
export interface SlackAnswer {
  status: number;
  body: string;
}

/** Slack cuts messages longer than this. */
const MAX_TEXT = 40_000;
const MAX_ATTACHMENTS = 100;

const text = (max: number) =>
  z.strictObject({
    type: z.enum(['plain_text', 'mrkdwn']),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
    verbatim: z.boolean().optional(),
  });
const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const blockId = z.string().max(255).optional();
const image = { image_url: z.string().min(1).max(3000), alt_text: z.string().max(2000) };
const otherElement = z.looseObject({ type: z.string() }).refine(({ type }) => type !== 'button');
const confirmation = z.strictObject({
  title: plainText(100),
  text: text(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
});
const button = z.strictObject({
  type: z.literal('button'),
  text: plainText(75),
  action_id: z.string().min(1).max(255),
  url: z.string().max(3000).optional(),
  value: z.string().max(2000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirmation.optional(),
  accessibility_label: z.string().max(75).optional(),
});
const element = z.union([button, otherElement]);

const block = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('section'),
      block_id: blockId,
      text: text(3000).optional(),
      fields: z.array(text(2000)).min(1).max(10).optional(),
      accessory: element.optional(),
      expand: z.boolean().optional(),
    })
    .refine((section) => section.text ?? section.fields),
  z.strictObject({ type: z.literal('header'), block_id: blockId, text: plainText(150), level: z.int().optional() }),
  z.strictObject({ type: z.literal('divider'), block_id: blockId }),
  z.strictObject({
    type: z.literal('context'),
    block_id: blockId,
    elements: z
      .array(z.union([text(3000), z.strictObject({ type: z.literal('image'), ...image })]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), block_id: blockId, elements: z.array(element).min(1).max(25) }),
  z.strictObject({ type: z.literal('image'), block_id: blockId, ...image, title: plainText(2000).optional() }),
  z.strictObject({ type: z.literal('markdown'), block_id: blockId, text: z.string().min(1).max(12_000) }),
  z.looseObject({ type: z.literal('rich_text'), block_id: blockId, elements: z.array(element) }),
]);

const payload = z.strictObject({
  text: z.string().optional(),
  blocks: z.unknown().optional(),
  attachments: z.array(z.looseObject({})).optional(),
  thread_ts: z.string().optional(),
  mrkdwn: z.boolean().optional(),
  unfurl_links: z.boolean().optional(),
  unfurl_media: z.boolean().optional(),
});

/** What the address of an interaction takes besides (docs.slack.dev/interactivity/handling-user-interaction#message_responses). */
const response = payload.extend({
  response_type: z.enum(['ephemeral', 'in_channel']).optional(),
  replace_original: z.boolean().optional(),
  delete_original: z.boolean().optional(),
});

const refuse = (body: string): SlackAnswer => ({ status: 400, body });

/** Slack's own words for the statuses that a fault asks for. */
export const SLACK_ERRORS: Record<number, string> = {
  403: 'action_prohibited',
  404: 'channel_not_found',
  410: 'channel_is_archived',
  429: 'rate_limited',
  500: 'rollup_error',
};

/**
 * Judges one request to a webhook.
 * @param request `contentType` as sent; `body` the raw text; `responds`: to the address that came with an interaction
 * @returns 200 `ok`, or the refusal with the word Slack uses
 */
export function answerSlackWebhook(request: {
  method: string;
  contentType: string;
  body: string;
  responds?: boolean;
}): SlackAnswer {
  if (request.method !== 'POST') return { status: 405, body: 'method_not_allowed' };
  if (!/^application\/json\b/i.test(request.contentType)) return refuse('invalid_payload');
  let json: unknown;
  try {
    json = JSON.parse(request.body);
  } catch {
    return refuse('invalid_payload');
  }
  const parsed = (request.responds ? response : payload).safeParse(json);
  if (!parsed.success) return refuse('invalid_payload');
  const { text: message, blocks, attachments = [] } = parsed.data;

  if (attachments.length > MAX_ATTACHMENTS) return refuse('too_many_attachments');
  if (blocks !== undefined && !Array.isArray(blocks)) return refuse('invalid_blocks_format');
  if (!message && (blocks ?? []).length === 0 && attachments.length === 0) return refuse('no_text');
  if (message && message.length > MAX_TEXT) return refuse('msg_too_long');
  if (
    !z
      .array(block)
      .max(50)
      .safeParse(blocks ?? []).success
  )
    return refuse('invalid_blocks');
  return { status: 200, body: 'ok' };
}
