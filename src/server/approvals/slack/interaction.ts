import { z } from 'zod';

/** What a button of a notice carries: which gate, and the code that binds the decision to what was shown. */
const button = z.object({
  action_id: z.enum(['windlass.approve', 'windlass.reject']),
  block_id: z.string().max(255).default(''),
  value: z.string().max(2000),
});

const block = z.looseObject({ type: z.string(), block_id: z.string().optional() });

/** `block_actions`, as far as it is used (docs.slack.dev/reference/interaction-payloads/block_actions-payload). */
const blockActions = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: z.string().regex(/^[UW][A-Z0-9]{1,30}$/) }),
  team: z.object({ id: z.string().regex(/^T[A-Z0-9]{1,30}$/) }),
  response_url: z.url({ protocol: /^https?$/ }),
  message: z.object({ text: z.string().default(''), blocks: z.array(block).default([]) }).optional(),
  actions: z.array(z.looseObject({ action_id: z.string() })).min(1),
});

const carried = z.strictObject({ gate: z.string().max(1800), code: z.string().max(64) });

export interface Interaction {
  user: string;
  team: string;
  responseUrl: string;
  decision: 'approve' | 'reject';
  /** Id of the gate. */
  gate: string;
  code: string;
  /** Of the message that has the button, without what belongs to this gate. */
  message: { text: string; blocks: object[] };
}

/**
 * The decision in the body of a request of Slack.
 * @returns undefined for everything else that may come here: links that were followed, other types of interaction
 */
export function readInteraction(body: string): Interaction | undefined {
  const payload = blockActions.safeParse(parse(new URLSearchParams(body).get('payload') ?? ''));
  if (!payload.success) return undefined;
  const { user, team, response_url: responseUrl, message, actions } = payload.data;
  const action = button.safeParse(actions[0]);
  if (!action.success) return undefined;
  const said = carried.safeParse(parse(action.data.value));
  if (!said.success) return undefined;
  const { block_id: id } = action.data;
  return {
    ...{ user: user.id, team: team.id, responseUrl, ...said.data },
    decision: action.data.action_id === 'windlass.approve' ? 'approve' : 'reject',
    message: {
      text: message?.text ?? '',
      blocks: (message?.blocks ?? []).filter((each) => each.block_id === undefined || each.block_id !== id),
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
