import type { z } from 'zod';
import { describeIssues, type Contract } from '../contracts/contract.ts';
import { CliError } from './errors.ts';

/** Largest input the CLI starts a procedure with, in bytes of JSON. The server's own limit for one payload is 2 MiB. */
export const INPUT_LIMIT_BYTES = 128 * 1024;

/**
 * Checks an input before anything is started, as the procedure itself will.
 * @throws CliError `input-too-large` or `invalid-input`, with each field that is wrong
 */
export function checkInput<Schema extends z.ZodType>(contract: Contract<Schema>, raw: object): z.output<Schema> {
  const bytes = Buffer.byteLength(JSON.stringify(raw));
  if (bytes > INPUT_LIMIT_BYTES)
    throw new CliError(
      'input-too-large',
      `The input has ${bytes} bytes; at most ${INPUT_LIMIT_BYTES} are taken (the Temporal server refuses more than 2 MiB).`,
      'Shorten the reason, or put the text elsewhere and name where it is.',
    );
  const parsed = contract.input.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new CliError(
    'invalid-input',
    `${contract.procedure} cannot start: ${describeIssues(parsed.error)}.`,
    `A valid input: ${JSON.stringify(contract.example)}`,
  );
}

/**
 * Fields from arguments by place and from flags: places fill, in order, the fields that no flag named.
 * @throws CliError `usage` when one is missing or too many are given
 */
export function fillFields<Name extends string>(
  names: readonly Name[],
  places: (string | undefined)[],
  flags: Partial<Record<Name, string>>,
): Record<Name, string> {
  const given = places.filter((value) => value !== undefined);
  const open = names.filter((name) => flags[name] === undefined);
  if (given.length > open.length)
    throw new CliError(
      'usage',
      `Too many arguments: ${given.slice(open.length).join(' ')}. ${names.length - open.length > 0 ? 'Some fields were given as flags already.' : ''}`.trim(),
      `Expected: ${names.join(' ')}`,
    );
  const missing = open.slice(given.length);
  if (missing.length > 0)
    throw new CliError(
      'usage',
      `Missing: ${missing.join(', ')}.`,
      `Expected: ${names.map((name) => name.toUpperCase()).join(' ')}`,
    );
  return Object.fromEntries(names.map((name) => [name, flags[name] ?? given[open.indexOf(name)]])) as Record<
    Name,
    string
  >;
}

/** A message as its contract wants it. @throws CliError `invalid-input` */
export function checkMessage<Schema extends z.ZodType>(schema: Schema, what: string, raw: object): z.output<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new CliError('invalid-input', `${what} cannot be sent: ${describeIssues(parsed.error)}.`);
}
