// `npm run coverage:runbooks [-- --json]`: which procedures of the runbooks the last acceptance run proves.
// Exits with 1 when one that was proved before (test/acceptance/proved.json) is not proved any more.
import { parseArgs } from 'node:util';
import { readBaseline, readProcedures } from './coverage/procedures.ts';
import { numberedResults, prove, regressions, strays } from './coverage/proof.ts';
import { proofText } from './coverage/text.ts';
import { readReport } from './testing/jest.ts';
import { PROVING } from './testing/parts.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' } } });

const procedures = readProcedures();
const reports = PROVING.map(({ name }) => readReport(name));
const results = numberedResults(...reports);
const proofs = prove(procedures, results);

process.stdout.write(values.json ? `${JSON.stringify(proofs, null, 2)}\n` : `${proofText(proofs)}\n`);

const problems = [
  ...regressions(readBaseline(), proofs).map((id) => `${id} was proved and is not any more`),
  ...strays(procedures, results).map((number) => `${number} is a test that coverage.yaml does not list`),
];
if (!reports.every(Boolean)) problems.unshift('there is no report yet: run `npm test -- acceptance incidents` first');
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
