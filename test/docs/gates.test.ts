import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { gate } from '../../src/contracts/catalog-parts.ts';
import { decisionSchema } from '../../src/contracts/gates.ts';
import { parseFile } from '../../src/catalog/parse.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { blocks, documents, inlineCode, ROOT } from './documents.ts';

const page = documents().find(({ file }) => file === 'docs/gates.md')!;

interface System {
  people: { name: string }[];
  policies: { deployRelease: object };
}

test('the gates of docs/gates.md load as a part of the sandbox system', () => {
  const [example] = blocks(page, 'yaml').map((block) => parse(block) as System);
  const system = parse(readFileSync(join(ROOT, 'systems/sandbox.yaml'), 'utf8')) as System;
  const named = example!.people.map(({ name }) => name);
  const people = [...example!.people, ...system.people.filter(({ name }) => !named.includes(name))];
  const policies = {
    ...system.policies,
    deployRelease: { ...system.policies.deployRelease, ...example!.policies.deployRelease },
  };
  const { problems } = readSystems([parseFile('sandbox.yaml', stringify({ ...system, people, policies }))], []);
  expect(problems).toEqual([]);
});

test('its decision is one', () => {
  expect(decisionSchema.safeParse(JSON.parse(blocks(page, 'json')[0]!)).error).toBeUndefined();
});

test('it names every key of a gate, and every answer', () => {
  const codes = new Set(inlineCode(page).flatMap((code) => code.split(/[^A-Za-z-]+/)));
  const source = readFileSync(join(ROOT, 'src/contracts/gates.ts'), 'utf8');
  const answers = /type DecisionCode =([^;]*);/.exec(source)![1]!.match(/[a-z-]+(?=')/g)!;
  const keys = Object.keys(gate.shape).filter((key) => !['name', 'asks', 'harmless'].includes(key));
  expect(answers.length).toBeGreaterThan(10);
  expect([...keys, ...answers].filter((each) => !codes.has(each))).toEqual([]);
});
