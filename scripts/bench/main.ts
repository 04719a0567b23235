import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fail } from '../sandbox/errors.ts';
import { benchAlerts } from './alerts.ts';
import { benchAuditSearch } from './audit-search.ts';
import { benchBackup } from './backup.ts';
import { benchPromote } from './promote.ts';
import { renderAlerts, renderAuditSearch, renderBackup, renderPromote, renderTraffic } from './render.ts';
import { benchTraffic } from './traffic.ts';

const HELP = `Measures on the running sandbox (npm run sandbox -- up), with a worker, namespaces and procedures of its own.

  npm run bench -- promote     from a decision to the patched selector; again with other procedures parked
      --runs N                 decisions of each series (50)
      --parked N               procedures that wait meanwhile in the second series (200; 0 leaves it out)
      --wait SECONDS           each decision waits for a quiet machine, at most so long (0)
  npm run bench -- traffic     a release, the deletion of the old color and a rollback under load, then a plain rolling
                               update of the same application under the same load
      --rate N                 requests per second (600)
      --requests N             requests of the first part, at least (100000)
  npm run bench -- backup      a backup and a test restore, in turn with a plain pipe of the same tools
      --rounds N               rounds of both (5)
      --megabytes N            size of the database (1200)
  npm run bench -- alerts      from an alert to the first activity of its remedy at 1 and at 10 alerts per second; then a
                               storm of one cause, in batches and one by one
      --slow N                 alerts at 1 per second (60)
      --fast N                 alerts at 10 per second (300)
      --storm N                alerts of the storm, at most 5000 (1000)
  npm run bench -- audit       searches of the audit among generated records, on the sandbox's PostgreSQL
      --records N              how many (1000000)

  --json FILE                  writes all figures as JSON

Everything it made is cleared away at the end, also after Ctrl-C. Exit status: 0 measured, 1 not.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '50' },
    parked: { type: 'string', default: '200' },
    wait: { type: 'string', default: '0' },
    rate: { type: 'string', default: '600' },
    requests: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '1200' },
    slow: { type: 'string', default: '60' },
    fast: { type: 'string', default: '300' },
    storm: { type: 'string', default: '1000' },
    records: { type: 'string', default: '1000000' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`);

const benches: Record<string, () => Promise<{ report: object; text: string }>> = {
  async promote() {
    const waitMs = count('wait', 0) * 1000;
    const report = await benchPromote({ runs: count('runs', 1), parked: count('parked', 0), waitMs, say });
    return { report, text: renderPromote(report) };
  },
  async traffic() {
    const report = await benchTraffic({ rate: count('rate', 1), requests: count('requests', 0), say });
    return { report, text: renderTraffic(report) };
  },
  async backup() {
    const report = await benchBackup({ rounds: count('rounds', 1), megabytes: count('megabytes', 1), say });
    return { report, text: renderBackup(report) };
  },
  async alerts() {
    const [slow, fast, storm] = [count('slow', 1), count('fast', 1), count('storm', 1)];
    const report = await benchAlerts({ slow, fast, storm, say });
    return { report, text: renderAlerts(report) };
  },
  async audit() {
    const report = await benchAuditSearch({ records: count('records', 1), say });
    return { report, text: renderAuditSearch(report) };
  },
};

const [name = '', ...more] = positionals;
const bench = Object.hasOwn(benches, name) && more.length === 0 ? benches[name] : undefined;
if (values.help) {
  console.log(HELP);
} else if (!bench) {
  console.error(`expected one of ${Object.keys(benches).join(', ')}\n\n${HELP}`);
  process.exitCode = 1;
} else {
  try {
    const { report, text } = await bench();
    console.log(text);
    if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    fail('bench', error);
  }
}

function count(name: Exclude<keyof typeof values, 'json' | 'help'>, least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`--${name}: expected a whole number from ${least}, got ${values[name]}`);
  return process.exit(1);
}
