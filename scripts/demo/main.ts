import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fail } from '../sandbox/errors.ts';
import { showIncident } from './incident.ts';
import { showMaintenance } from './maintenance.ts';
import { narrate, type Narrator } from './narrator.ts';
import { showRecovery } from './recovery.ts';
import { showReleases } from './releases.ts';
import type { DemoOptions } from './stage.ts';

const DEMOS: Record<string, (tell: Narrator, options: DemoOptions) => Promise<{ passed: boolean }>> = {
  releases: showReleases,
  dr: showRecovery,
  maintenance: showMaintenance,
  incident: showIncident,
};

const HELP = `Shows procedures on the sandbox as they go, with the worker killed in the middle.

  npm run demo                         releases behind an approval, a bad one caught before and one under traffic
  npm run demo -- dr                   a dropped table comes back from a backup, behind an approval
  npm run demo -- maintenance          a window with a page, its worker killed, and one whose task fails
  npm run demo -- incident             the shop breaks, an alert opens an incident, people bring it back

  npm run demo -- … --unattended       approves by itself; otherwise you do, in the Temporal UI or with the CLI
  npm run demo -- … --report FILE      writes figures as JSON
  npm run demo -- … --down             takes the sandbox down at the end, also one that was up before

The first start builds a Kubernetes node and may take 20 minutes; later ones take a minute.
Exit status: 0 when everything went as promised, 1 when not, 2 when the command is wrong.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unattended: { type: 'boolean', default: false },
    report: { type: 'string' },
    down: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const [name = 'releases', ...more] = positionals;
const demo = Object.hasOwn(DEMOS, name) && more.length === 0 ? DEMOS[name] : undefined;
if (values.help) {
  console.log(HELP);
} else if (!demo) {
  console.error(`expected one of ${Object.keys(DEMOS).join(', ')}, got ${positionals.join(' ')}`);
  process.exitCode = 2;
} else {
  try {
    const report = await demo(narrate(values.unattended), values);
    if (values.report) writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);
    process.exitCode = report.passed ? 0 : 1;
  } catch (error) {
    fail('demo', error);
  }
}
