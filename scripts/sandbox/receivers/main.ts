// The sandbox's receivers of what people and systems are told: main.ts --port PORT --smtp-port PORT --log FILE.jsonl
import { parseArgs } from 'node:util';
import { startReceivers } from '../../../test/support/receivers/server.ts';

const { values } = parseArgs({
  options: { port: { type: 'string' }, 'smtp-port': { type: 'string', default: '0' }, log: { type: 'string' } },
});
if (!values.port || !values.log) {
  console.error('expected --port PORT [--smtp-port PORT] --log FILE.jsonl');
  process.exit(2);
}
const receivers = await startReceivers({
  port: Number(values.port),
  smtpPort: Number(values['smtp-port']),
  logFile: values.log,
});
console.log(JSON.stringify({ level: 'info', msg: 'listening', url: receivers.url }));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void receivers.close().then(() => process.exit(0)));
}
