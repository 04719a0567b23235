import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Faults } from './faults.ts';
import type { RequestLog } from './request-log.ts';

const MAX_BYTES = 1024 * 1024;

/**
 * A mail server that delivers nothing and keeps everything, in the log of the receivers: one entry per recipient, its path
 * `/smtp/<recipient>`. Faults of that path refuse the message (`status` is SMTP's: 451 for now, 554 for good), delay the
 * answer or lose it. It never deduplicates: neither do mail servers.
 */
export async function startSmtp(
  port: number,
  log: RequestLog,
  faults: Faults,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username }),
    // It has no certificate that a client would believe.
    disabledCommands: ['STARTTLS'],
    size: MAX_BYTES,
    logger: false,
    onData: (stream, session, callback) => {
      receive(stream, session).then(
        (outcome) => (outcome === 'lost' ? cut(session) : callback(outcome)),
        (error: Error) => callback(error),
      );
    },
  });
  // A client that ends in the middle is not this server's trouble.
  server.on('error', () => undefined);

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<'lost' | Error | null> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = parseMail(Buffer.concat(chunks).toString('utf8'));
    const recipients = session.envelope.rcptTo.map(({ address }) => `/smtp/${address}`);
    const fault = recipients.map((path) => faults.take(path)).find((one) => one !== undefined);
    const tooLarge = stream.sizeExceeded ? 552 : undefined;
    const status = fault?.status ?? tooLarge ?? 250;
    const outcome = status !== 250 ? 'refused' : fault?.dropResponse ? 'lost' : 'accepted';
    for (const path of recipients) {
      log.append({
        time: new Date().toISOString(),
        method: 'MAIL',
        path,
        headers: body.headers,
        body: body.text,
        status,
        outcome,
      });
    }
    if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false });
    if (outcome === 'lost') return 'lost';
    return status === 250 ? null : Object.assign(new Error(`fault ${status}`), { responseCode: status });
  }

  function cut(session: SMTPServerSession): void {
    for (const connection of server.connections as Set<{ id: string; _socket: { destroy(): void } }>) {
      if (connection.id === session.id) connection._socket.destroy();
    }
  }

  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Headers in lower case, unfolded, and the text as it was sent. */
function parseMail(raw: string): { headers: Record<string, string>; text: string } {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { headers: Object.fromEntries(headers), text: rest.join('\r\n\r\n') };
}
