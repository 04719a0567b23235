import type { Notice, NoticeOutcome } from '../src/adapters/notice.ts';
import { sendByEmail } from '../src/adapters/email.ts';
import { sendToPagerDuty } from '../src/adapters/pagerduty.ts';
import { sendToSlack } from '../src/adapters/slack.ts';
import { sendToStatuspage } from '../src/adapters/statuspage.ts';
import { sendToWebhook } from '../src/adapters/webhook.ts';
import type { CatalogChannel } from '../src/contracts/channels.ts';
import { currentCatalog } from './catalog.ts';
import type { Dependencies } from './dependencies.ts';

/** Under the start-to-close timeout: a silent channel must not make the others hear everything again. */
const CHANNEL_MS = 12_000;

/**
 * Tells people through channels of a system's catalog. Each is tried by itself, so that none delays another; one that
 * stays silent is in the answer and fails nothing. If the process dies before a message was sent, the next attempt sends
 * it. If it dies after, a channel whose vendor knows a repetition (PagerDuty's alerts) or tells what it has (Statuspage)
 * gets it once; by chat, webhook and e-mail it arrives again, recognizable by its key or its Message-ID.
 */
export async function tellChannels(
  { catalog, secrets }: Pick<Dependencies, 'catalog' | 'secrets'>,
  { system, channels, ...notice }: Notice & { system: string; channels: string[] },
): Promise<NoticeOutcome> {
  const known = (await currentCatalog(catalog)).systems.get(system)?.catalog.channels ?? {};
  const names = [...new Set(channels)];
  const sent = await Promise.allSettled(names.map((name) => within(CHANNEL_MS, send(name))));
  const outcome: NoticeOutcome = { delivered: [], failed: [] };
  for (const [index, channel] of names.entries()) {
    const one = sent[index]!;
    if (one.status === 'fulfilled') outcome.delivered.push(channel);
    else outcome.failed.push({ channel, error: (one.reason as Error).message });
  }
  return outcome;

  async function send(name: string): Promise<void> {
    const channel: CatalogChannel | undefined = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!channel) throw new Error(`system ${system} has no channel ${name}`);
    await sendBy(channel, notice, secrets);
  }
}

async function sendBy(channel: CatalogChannel, notice: Notice, secrets: Dependencies['secrets']): Promise<void> {
  switch (channel.kind) {
    case 'slack':
      return sendToSlack(await secrets.resolve(channel.url), channel.buttons ? notice : { ...notice, gates: [] });
    case 'webhook':
      return sendToWebhook(await secrets.resolve(channel.url), notice);
    case 'email':
      return sendByEmail({ ...channel, server: await secrets.resolve(channel.server) }, notice);
    case 'pagerduty':
      return sendToPagerDuty({ ...channel, routingKey: await secrets.resolve(channel.routingKey) }, notice);
    case 'statuspage':
      return sendToStatuspage({ ...channel, token: await secrets.resolve(channel.token) }, notice);
  }
}

async function within(milliseconds: number, sending: Promise<void>): Promise<void> {
  const aborted = AbortSignal.timeout(milliseconds);
  const late = new Promise<never>((_, reject) => {
    aborted.addEventListener('abort', () => reject(new Error(`no answer within ${milliseconds / 1000} s`)));
  });
  await Promise.race([sending, late]);
}
