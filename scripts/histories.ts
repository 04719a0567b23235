// npm run histories -- NAME=WORKFLOW_ID[#RUN_ID] …: keeps the histories of closed or running workflows for the replay
// test; without a run, of the newest.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEndpoints } from './sandbox/endpoints.ts';

const FOLDER = join(import.meta.dirname, '../test/replay/histories');

const wanted = process.argv.slice(2).map((each) => /^([a-z0-9-]+)=([^#]+)(?:#(.+))?$/.exec(each));
if (wanted.length === 0 || wanted.includes(null)) {
  console.error('usage: npm run histories -- NAME=WORKFLOW_ID[#RUN_ID] [NAME=… …]');
  process.exit(2);
}
const { temporal, temporalBinary } = readEndpoints();
mkdirSync(FOLDER, { recursive: true });
for (const match of wanted) {
  const [, name, workflowId, runId] = match!;
  const where = ['--address', temporal.address, '--namespace', temporal.namespace];
  // Temporal's own command writes the JSON that every SDK replays.
  const run = runId ? ['--run-id', runId] : [];
  const shown = ['workflow', 'show', '--workflow-id', workflowId!, ...run, '--output', 'json', ...where];
  const json = execFileSync(temporalBinary.path, shown, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const history = JSON.parse(json, withoutTraces) as { events: unknown[] };
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(history)}\n`);
  console.log(`${name}.json: ${history.events.length} events of ${workflowId}`);
}

/** Stack traces name the folders of one machine, and no replay reads them. */
function withoutTraces(key: string, value: unknown): unknown {
  return key === 'stackTrace' ? '' : value;
}
