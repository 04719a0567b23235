// npm run screenshot: docs/images/waiting-release.png, the Temporal UI with the current details of a release that waits
// for its approval, on the running sandbox.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { openBrowserStage } from './stage.ts';
import { openTemporalUi } from './temporal-ui.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docs/images/waiting-release.png');
const ID = 'deploy/sandbox/local/shop-v2';

const { temporal } = readEndpoints();
const stage = await openBrowserStage({ taskQueue: 'windlass', prefix: 'shop' });
const ui = await openTemporalUi(stage.url, stage.namespace);
try {
  // By the command line, which also says what it is (Summary and Details).
  const deploy = ['deploy', 'sandbox', 'local', 'shop', 'docker.io/windlass/sample:v2', '--as', 'kim'];
  await promisify(execFile)(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...deploy], {
    cwd: ROOT,
    env: { ...process.env, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: stage.namespace },
  });
  await ui.page.setViewportSize({ width: 1400, height: 1510 });
  await ui.openWorkflow(ID);
  await ui.openTab('User Metadata');
  await ui.currentDetails('Shall this release go out?');
  await ui.page.screenshot({ path: FILE, animations: 'disabled' });
  process.stdout.write(`${FILE}\n`);
} finally {
  await ui.close();
  await stage.close();
}
