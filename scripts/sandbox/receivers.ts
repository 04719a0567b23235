import { join } from 'node:path';
import { inState, sourceDir } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';

export const receivers = {
  url: `http://127.0.0.1:${ports.receivers}`,
  smtp: `smtp://127.0.0.1:${ports.smtp}`,
  log: () => inState('receivers.jsonl'),
};

/** Starts the receivers of what people and systems are told: chat, webhooks, e-mail, PagerDuty, a status page. */
export async function startReceivers(): Promise<void> {
  const program = join(sourceDir, 'receivers', 'main.ts');
  const args = [
    program,
    '--port',
    String(ports.receivers),
    '--smtp-port',
    String(ports.smtp),
    '--log',
    receivers.log(),
  ];
  start({ name: 'receivers', command: process.execPath, args });
  // Any answer shows that it listens.
  await ready('receivers', async () => (await fetch(receivers.url)).status > 0);
}
