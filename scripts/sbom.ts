// `npm run sbom`: what an installation is made of, as CycloneDX, in reports/sbom.cdx.json; whether we may pass its
// licenses on; and what the registry knows against it. `--require-audit`: fails also when the registry cannot be asked.
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { run } from './testing/child.ts';
import { environment, REPORTS, ROOT } from './testing/tools.ts';
import { auditVerdict } from './supply-chain/audit.ts';
import { faultsOf, withoutDevelopment, type LockedPackages } from './supply-chain/sbom.ts';

/** The registry is asked once, and may take this long. */
const LIMIT_SECONDS = 15;
const FILE = join(REPORTS, 'sbom.cdx.json');

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: LockedPackages };

const [faults, unsafe] = await Promise.all([bill(), audit()]);
process.exitCode = faults.length > 0 || unsafe ? 1 : 0;

async function bill(): Promise<string[]> {
  const { output } = await npm('sbom', '--package-lock-only', '--sbom-format', 'cyclonedx');
  const sbom = withoutDevelopment(JSON.parse(output), lock.packages);
  await mkdir(REPORTS, { recursive: true });
  await writeFile(FILE, JSON.stringify(sbom, null, 2));
  const faults = faultsOf(sbom, lock.packages);
  say(`${relative(ROOT, FILE)}: ${sbom.components.length} packages, ${faults.length} faults`);
  faults.forEach((fault) => say(`  ${fault}`));
  return faults;
}

/** @returns whether this must not pass */
async function audit(): Promise<boolean> {
  const { output, ending } = await npm('audit', '--omit', 'dev', '--json', '--fetch-retries', '0');
  const verdict = auditVerdict('stopped' in ending ? undefined : output);
  switch (verdict.kind) {
    case 'clean':
      say('audit: the registry knows of no vulnerability');
      return false;
    case 'found':
      say(`note: audit: ${verdict.lines.length} vulnerable packages`);
      verdict.lines.forEach((line) => say(`note:   ${line}`));
      return verdict.serious;
    case 'unknown':
      say(`note: NOT AUDITED: ${verdict.why}. Vulnerabilities are unknown; run \`npm run sbom\` where it can be asked`);
      return process.argv.includes('--require-audit');
  }
}

/** Silent: standard output and error come together, and warnings would be no JSON. */
function npm(...args: string[]) {
  const env = environment();
  return run('npm', [...args, '--silent'], { cwd: ROOT, env, output: 'capture', limitSeconds: LIMIT_SECONDS });
}
