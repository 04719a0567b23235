import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { attempt, titleOf, type Fault, type Notice } from './notice.ts';

export interface EmailChannel {
  /** `smtp://user:password@host:port` (STARTTLS, demanded where there is a password) or `smtps://…`. */
  server: string;
  from: string;
  to: string[];
}

const TIMEOUT_MS = 5_000;
const LONGEST_SUBJECT = 120;

/**
 * Sends by SMTP. A repetition has the same Message-ID, by which mailboxes that look for one know it; messages about one
 * subject are one thread. Tried again is what the server certainly did not take: no connection, or a refusal for now (4xx).
 * @throws Error in words, for the result of `notify`
 */
export async function sendByEmail({ server, from, to }: EmailChannel, notice: Notice): Promise<void> {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol)) throw new Error('its secret is not an smtp:// or smtps:// URL');
  const password = decodeURIComponent(url.password);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'smtps:';
  const transport = createTransport({
    host,
    port: Number(url.port || (secure ? 465 : 587)),
    secure,
    requireTLS: !secure && password !== '' && !LOOPBACK.includes(host),
    ...(url.username ? { auth: { user: decodeURIComponent(url.username), pass: password } } : {}),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // The text is ours, never a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { text, key, subject } = notice;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const id = (of: string) => `<${createHash('sha256').update(of).digest('hex').slice(0, 40)}@${domain}>`;
  const message = {
    from,
    to,
    subject: titleOf(subject ? { text: subject.title } : notice, LONGEST_SUBJECT),
    text: `${text}\n\n${key}\n`,
    messageId: id(key),
    ...(subject ? { references: [id(`subject ${subject.id}`)] } : {}),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
  try {
    await attempt([server, password], async (backoffMs) => {
      try {
        const { rejected } = await transport.sendMail(message);
        // Repeated, it would reach those who have it already.
        return rejected.length === 0 ? undefined : { words: `refused for ${rejected.join(', ')}` };
      } catch (error) {
        return explain(error as SmtpError, backoffMs);
      }
    });
  } finally {
    transport.close();
  }
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

type SmtpError = Error & { syscall?: string; responseCode?: number };

function explain(error: SmtpError, backoffMs: number): Fault {
  const { message, syscall, responseCode } = error;
  const words = responseCode ? `expected SMTP 2xx, got ${message}` : `could not be reached (${message})`;
  const refusedForNow = responseCode !== undefined && responseCode >= 400 && responseCode < 500;
  // Not the client's own code for it: a connection that ends after the message was sent has the same.
  const notConnected = syscall === 'connect';
  return refusedForNow || notConnected ? { words, retryAfterMs: backoffMs } : { words };
}
