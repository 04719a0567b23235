// The sample application's pre-deployment check and post-deployment verification, run as a Kubernetes Job:
//   node /app/job.js --expect ok|fail [--url http://host:port] [--version v2] [--wait-seconds 30]
// With `ok` it exits 0 when every check passes (the URL's /health, if one is given, and its version); with `fail` it always
// ends with 1 after its checks, to show what a failed job looks like. It waits so long for the first answer of the URL.
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    expect: { type: 'string', default: 'ok' },
    url: { type: 'string' },
    version: { type: 'string' },
    'wait-seconds': { type: 'string', default: '30' },
  },
});
if (!['ok', 'fail'].includes(values.expect)) {
  console.error(`--expect: expected ok or fail, got ${values.expect}`);
  process.exit(2);
}

let failures = 0;
function check(name, passed, detail = '') {
  console.log(`${passed ? 'PASS' : 'FAIL'} ${name}${detail && `: ${detail}`}`);
  if (!passed) failures += 1;
}

// A Service that was made a moment ago refuses connections until every node knows it.
async function answerOf(url) {
  const deadline = Date.now() + Number(values['wait-seconds']) * 1000;
  for (;;) {
    try {
      return await fetch(new URL('/health', url), { signal: AbortSignal.timeout(5000) });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      console.log(`no answer yet: ${error.cause?.message ?? error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function checkHealth(url, version) {
  const response = await answerOf(url);
  const health = await response.json();
  check('health answers 200', response.status === 200, `HTTP ${response.status}`);
  for (const [name, state] of Object.entries(health.checks)) check(`check ${name}`, state === 'healthy', state);
  if (version) check('version', health.version === version, `expected ${version}, got ${health.version}`);
}

check('runtime', true, `node ${process.version}, image version ${process.env.APP_VERSION ?? 'unknown'}`);
if (values.url) {
  await checkHealth(values.url, values.version).catch((error) =>
    check(`health of ${values.url}`, false, error.cause?.message ?? error.message),
  );
}
if (values.expect === 'fail') check('requested outcome', false, 'this job was told to fail');
console.log(failures === 0 ? 'all checks passed' : `${failures} check(s) failed`);
process.exitCode = failures === 0 ? 0 : 1;
