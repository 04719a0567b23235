import { z } from 'zod';
import { askChannel, titleOf, type ChannelRequest, type Notice } from './notice.ts';

export interface StatuspageChannel {
  /** Of the API, without a path: `https://api.statuspage.io`. */
  url: string;
  /** ID of the page. */
  page: string;
  token: string;
}

const LONGEST_NAME = 255;
/** How many of the newest messages an incident remembers, in its metadata. */
const REMEMBERED = 20;

const incident = z.looseObject({
  id: z.string(),
  metadata: z
    .looseObject({ windlass: z.looseObject({ subject: z.string(), notices: z.array(z.string()) }).optional() })
    .nullish(),
});
type Incident = z.output<typeof incident>;

/**
 * Publishes on a status page. Messages about one subject are updates of one incident; one about nothing that lasts is an
 * incident that is resolved as it is posted.
 *
 * The API has no idempotency key. The incident's metadata tells its subject and the messages it has had, so what is there
 * already is found by looking first and not published again; an answer that is lost is settled by looking once more.
 * Two that open the same subject in the same moment can still make two incidents.
 * @throws Error in words, for the result of `notify`
 */
export async function sendToStatuspage(channel: StatuspageChannel, notice: Notice): Promise<void> {
  const { subject = { id: notice.key, title: titleOf(notice, LONGEST_NAME), state: 'resolved' as const } } = notice;
  const found = await find(channel, subject.id);
  const had = found?.metadata?.windlass?.notices ?? [];
  if (had.includes(notice.key)) return;
  const change = {
    status: STATUS[subject.state],
    body: notice.text,
    metadata: { windlass: { subject: subject.id, notices: [...had, notice.key].slice(-REMEMBERED) } },
  };
  try {
    await (found
      ? ask(channel, `/${found.id}`, { method: 'PATCH', body: { incident: change } })
      : ask(channel, '', {
          method: 'POST',
          body: { incident: { name: titleOf({ text: subject.title }, LONGEST_NAME), ...change } },
        }));
  } catch (error) {
    const now = await find(channel, subject.id);
    if (!now?.metadata?.windlass?.notices.includes(notice.key)) throw error;
  }
}

const STATUS = { open: 'investigating', update: 'identified', resolved: 'resolved' } as const;

/** The incident of a subject among the page's newest, or undefined. */
async function find(channel: StatuspageChannel, subject: string): Promise<Incident | undefined> {
  const answer = await ask(channel, '?limit=100', { method: 'GET', repeatable: true });
  const all = z.array(incident).safeParse(answer);
  if (!all.success) throw new Error('expected a list of incidents, got something else');
  return all.data.find(({ metadata }) => metadata?.windlass?.subject === subject);
}

function ask(
  { url, page, token }: StatuspageChannel,
  path: string,
  request: Pick<ChannelRequest, 'method' | 'body' | 'repeatable'>,
): Promise<unknown> {
  const headers = { authorization: `OAuth ${token}` };
  return askChannel({ url: `${url}/v1/pages/${page}/incidents${path}`, headers, secrets: [token], ...request });
}
