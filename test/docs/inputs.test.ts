import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Contract } from '../../src/contracts/contract.ts';
import { decisionSchema } from '../../src/contracts/gates.ts';
import { PROCEDURES } from '../../src/contracts/procedures.ts';
import { blocks, documents, firstColumnUnder, procedurePages, ROOT } from './documents.ts';

const contracts = Object.values(PROCEDURES).map((contract) => ({ contract, procedure: contract.procedure }));
const accepts = ({ input }: Contract, value: unknown): boolean => input.safeParse(value).success;
const fieldsOf = ({ input }: Contract): string[] => Object.keys((input as z.ZodObject).shape);

test.each(contracts)('the example of $procedure is a valid input', ({ contract }) => {
  expect(contract.input.safeParse(contract.example).error).toBeUndefined();
});

const examples = documents().flatMap((document) =>
  blocks(document, 'json').map((text) => ({ file: document.file, text })),
);

test('the README shows an input', () => {
  expect(examples.map(({ file }) => file)).toContain('README.md');
});

test.each(examples)('$file: its JSON is the input of a procedure or a message: $text', ({ text }) => {
  const value: unknown = JSON.parse(text);
  const taken = contracts.some(({ contract }) => accepts(contract, value)) || decisionSchema.safeParse(value).success;
  expect(taken).toBe(true);
});

test('the input of the README is one of deployRelease, which it tells people to type', () => {
  const readme = documents().find(({ file }) => file === 'README.md')!;
  expect(readme.text).toContain('type `deployRelease`');
  expect(PROCEDURES['deployRelease']!.input.safeParse(JSON.parse(blocks(readme, 'json')[0]!)).error).toBeUndefined();
});

// A page is named by its title; those of the table "Input" are all fields of that procedure.
const pages = procedurePages()
  .map((page) => ({ ...page, procedure: /^# (\w+)/.exec(page.text)?.[1] ?? '' }))
  .filter((page) => firstColumnUnder(page, 'Input').length > 0);

test.each(pages)('$file names every field of the input of $procedure, and no other', (page) => {
  const named = firstColumnUnder(page, 'Input').flatMap((cell) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  );
  expect(named.sort()).toEqual(fieldsOf(PROCEDURES[page.procedure]!).sort());
});

test('the tables of messages name every message, and no other', () => {
  const source = readFileSync(join(ROOT, 'workflows/messages.ts'), 'utf8');
  const messages = [...source.matchAll(/define(?:Signal|Update|Query)<[^;]*?>\('(\w+)'\)/g)].map(([, name]) => name!);
  const named = procedurePages()
    .flatMap((page) => firstColumnUnder(page, 'Messages'))
    .flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  expect(messages.length).toBeGreaterThan(5);
  expect([...new Set(named)].sort()).toEqual([...new Set(messages)].sort());
});
