// node scripts/load/load-generator-cli.ts --url http://HOST:PORT/ [--rps 100] [--seconds 10] [--connections 16]
// Ctrl-C ends it early, with its report. Exit code 1 when a request failed.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLoad } from './load-generator.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    rps: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '16' },
  },
});
if (!values.url) {
  console.error('expected --url http://HOST:PORT/');
  process.exit(2);
}
const load = startLoad({
  url: values.url,
  requestsPerSecond: Number(values.rps),
  connections: Number(values.connections),
});
await Promise.race([sleep(Number(values.seconds) * 1000), once(process, 'SIGINT')]);
const report = await load.stop();
console.log(JSON.stringify(report, null, 2));
process.exit(report.failed === 0 ? 0 : 1);
