import type { SlackAnswer } from '../../../adapters/slack.ts';
import type { DecisionCode } from '../../../contracts/gates.ts';
import { Refusal } from '../../requests.ts';
import type { App } from '../context.ts';
import type { Desk, Visitor } from '../desk.ts';
import type { Limiter } from '../limits.ts';
import { readInteraction, type Interaction } from './interaction.ts';
import { createReplayGuard, faultOfSignature } from './signature.ts';

export interface SlackRoutes {
  origin: string;
  desk: Pick<Desk, 'decide'>;
  limiter: Limiter;
  /** Reads the app's signing secret anew for each request, so that it can be changed without a restart. */
  signingSecret: () => Promise<string>;
  /** Sends the answer to the address that came with the interaction. */
  answer: (responseUrl: string, answer: SlackAnswer) => Promise<void>;
  log: Record<'info' | 'warn', (fields: object, text: string) => void>;
}

/**
 * `POST /slack/interactions`: what people do with buttons of notices. Slack wants an answer within 3 s, which a worker may
 * need longer for: the request is acknowledged, and the person is answered at the interaction's own address.
 */
export function slackRoutes(app: App, options: SlackRoutes): void {
  const { limiter, signingSecret, log } = options;
  const guard = createReplayGuard();

  app.post('/slack/interactions', async (context) => {
    const address = context.get('address');
    await limiter.failuresPerAddress.check(address);
    const body = await context.req.text();
    const signature = context.req.header('x-slack-signature');
    const signed = { timestamp: context.req.header('x-slack-request-timestamp'), signature, body };
    const fault = faultOfSignature(signed, await signingSecret(), Date.now());
    if (fault !== undefined) {
      await limiter.failuresPerAddress.take(address);
      throw new Refusal(403, `the request does not count as Slack's: ${fault}`);
    }
    if (guard.isRepeated(signature!, Date.now())) throw new Refusal(409, 'this request was here before');
    const interaction = readInteraction(body);
    if (interaction)
      void carryOut(interaction, options).catch((error: Error) =>
        log.warn({ user: interaction.user, why: error.message }, 'an answer did not reach Slack'),
      );
    return context.body(null, 200);
  });
}

/** Answers to which the person can do something on the gate's page. */
const ASKS_MORE: DecisionCode[] = ['comment-required', 'invalid-fields', 'wrong-code'];

async function carryOut(interaction: Interaction, { origin, desk, limiter, answer, log }: SlackRoutes): Promise<void> {
  const { user, team, responseUrl, gate, code, decision, message } = interaction;
  const visitor: Visitor = { how: 'slack', identity: slackIdentity(team, user) };
  const reply = (said: SlackAnswer): Promise<void> => answer(responseUrl, said);
  try {
    await limiter.decisionsPerPerson.take(`${visitor.identity.issuer} ${user}`);
    const { result, sight } = await desk.decide(gate, { decision, code }, visitor);
    const { workflowId } = sight.run;
    log.info(
      { by: sight.me.name, workflowId, gate: sight.gate.name, decision, how: 'slack', code: result.code },
      'decision',
    );
    if (result.code !== 'recorded') {
      const more = ASKS_MORE.includes(result.code) ? ` Decide it here: ${origin}/gates/${gate}` : '';
      return await reply({ to: 'person', text: `Not counted: ${result.message}${more}` });
    }
    const text = `${sight.me.name} ${decision === 'approve' ? 'approved' : 'rejected'}: ${result.message}`;
    const over = result.gate?.outcome !== 'waiting';
    await reply(over ? { to: 'message', text, blocks: message.blocks } : { to: 'channel', text });
  } catch (error) {
    const { status, message: text } = error instanceof Refusal ? error : { status: 500, message: '' };
    if (!text) log.warn({ user, why: (error as Error).message }, 'a decision from Slack was not carried out');
    const words = status === 404 ? 'there is no such gate, or you are not among those who may see it' : text;
    await reply({ to: 'person', text: `Not counted: ${words || 'it did not work; try the command line'}.` });
  }
}

/** A user of a workspace: ids of users are unique within their workspace. */
const slackIdentity = (team: string, user: string): Visitor['identity'] => ({
  issuer: `https://slack.com/${team}`,
  subject: user,
  groups: [],
});
