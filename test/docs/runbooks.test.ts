import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ACTIONS } from '../../src/actions/index.ts';
import { parseFile } from '../../src/catalog/parse.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { blocks, documents, ROOT } from './documents.ts';

const page = documents().find(({ file }) => file === 'docs/runbooks.md')!;

interface System {
  runbooks: Record<string, unknown>;
}

test('the runbooks of docs/runbooks.md load as a part of the sandbox system', () => {
  const examples = blocks(page, 'yaml').map((block) => parse(block) as System);
  expect(examples.length).toBeGreaterThan(0);
  const system = parse(readFileSync(join(ROOT, 'systems/sandbox.yaml'), 'utf8')) as System;
  const runbooks = Object.assign({}, system.runbooks, ...examples.map((example) => example.runbooks)) as object;
  const { problems } = readSystems([parseFile('sandbox.yaml', stringify({ ...system, runbooks }))], []);
  expect(problems).toEqual([]);
});

test.each([...ACTIONS.values()].map((action) => ({ name: action.name, action })))(
  'the example of $name is a valid call',
  ({ action }) => {
    expect(action.parameters.safeParse(action.example).error).toBeUndefined();
  },
);
