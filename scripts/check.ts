// `npm run check`: what to run before every commit: format, lint, types, duplicated code, unit tests. About two minutes on 2 cores.
import { runChecks } from './testing/checks.ts';
import { runJest } from './testing/jest.ts';
import { filesOf, PARTS } from './testing/parts.ts';
import { count, duration } from './testing/report.ts';
import { ROOT } from './testing/tools.ts';

const started = performance.now();
const { failed: checksFailed } = await runChecks();

const unit = PARTS.find((part) => part.name === 'unit')!;
const { report, ended } = await runJest({ name: 'unit', files: filesOf(unit, ROOT) });
const { passed, failed, note } = count(report, ended.ending);
process.stdout.write(`${failed === 0 ? 'ok    ' : 'FAILED'} unit: ${passed} passed, ${failed} failed`);
process.stdout.write(` (${duration(ended.seconds)})${note ? `: ${note}` : ''}\n`);

process.stdout.write(`in ${duration((performance.now() - started) / 1000)}\n`);
process.exitCode = checksFailed + failed > 0 ? 1 : 0;
