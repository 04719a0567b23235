// `npm run help`: what the npm scripts do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line for each script of package.json; a test keeps the two in step. */
export const SCRIPTS: Record<string, string> = {
  help: 'this list',
  demo: 'releases on the sandbox, from an empty machine; `-- dr` a restore; `-- --unattended --report FILE`, `-- --help`',
  sandbox: 'the local cluster with everything around it: `-- up`, `-- status`, `-- down`, `-- reset`',
  worker: 'a worker on the Temporal server and the systems that its environment names (docs/worker.md)',
  'codec-server': 'shows what is encrypted to the Temporal UI, and to those who may see it (docs/worker.md)',
  'approval-server': 'gates for people with a browser, for programs and for Slack; `-- --help` (docs/approvals.md)',
  schema: 'systems/schema.json, by which editors check the catalog, and docs/actions.md, from the code',
  screenshot: 'docs/images/waiting-release.png, taken anew from the running sandbox',
  'search-attributes': 'register the search attributes that procedures set, on the Temporal server of the environment',
  sbom: 'what an installation is made of, its licenses and vulnerabilities; `-- --require-audit` (docs/deployment.md)',
  check: 'format, lint, types, duplicated code and unit tests: before every commit, about two minutes',
  format: 'write the format that `check` wants',
  test: 'every test, in parts, with a real sandbox; `-- unit crash` runs some, `-- --list` names them',
  build: 'dist/: the CLI and the workflow bundles',
  prepare: 'the build after `npm ci`; npm calls it',
  bench: 'figures beside a reference, measured in one run; `-- promote`, `-- --help`',
  histories: 'keep histories of workflows for the replay test: `-- NAME=WORKFLOW_ID`',
  'coverage:runbooks': 'which procedures of the runbooks the last acceptance run proves (`-- --json`)',
  'coverage:prove': 'run the proving tests without effects: what stays green proves nothing',
};

/** The scripts that package.json has, in its order. */
export function scriptsOfPackage(): string[] {
  const file = join(import.meta.dirname, '../package.json');
  return Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { scripts: object }).scripts);
}

/** A line per script: how to call it and what it does. */
export function helpText(names: string[]): string {
  const calls = names.map((name) => [name === 'test' ? 'npm test' : `npm run ${name}`, SCRIPTS[name] ?? ''] as const);
  const width = Math.max(...calls.map(([call]) => call.length));
  return calls.map(([call, line]) => `${call.padEnd(width)}  ${line}`).join('\n');
}

if (import.meta.main) process.stdout.write(`${helpText(scriptsOfPackage())}\n`);
