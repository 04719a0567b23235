import type { CatalogRunbook } from '../../contracts/runbook.ts';

export type Parameters = Record<string, string | number | boolean>;
type Declared = CatalogRunbook['parameters'];
type Type = Declared[string]['type'];

const EXPECTED: Record<Type, string> = {
  string: 'a text',
  int: 'a whole number',
  double: 'a number',
  bool: 'true or false',
};

/**
 * The parameters of a run as the runbook declares them, defaults filled in. A number or a bool may be given as a text,
 * because a command line has nothing else.
 * @returns faults for people, one for each parameter that is unknown, missing or of another type
 */
export function fillParameters(
  declared: Declared,
  given: Readonly<Record<string, unknown>>,
): { parameters: Parameters; faults: string[] } {
  const names = Object.keys(declared);
  const faults = Object.keys(given)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => `unknown parameter ${name}; there is: ${names.join(', ') || 'none'}`);
  const parameters: Parameters = {};
  for (const [name, { type, default: otherwise, description }] of Object.entries(declared)) {
    const value = Object.hasOwn(given, name) ? given[name] : otherwise;
    const read = value === undefined ? undefined : readAs(type, value);
    if (read !== undefined) parameters[name] = read;
    else if (value === undefined) faults.push(`missing parameter ${name} (${EXPECTED[type]}): ${description}`);
    else faults.push(`parameter ${name}: expected ${EXPECTED[type]}, got ${JSON.stringify(value)}`);
  }
  return { parameters, faults };
}

/** The value as one of the type, or undefined when it is none. */
export function readAs(type: Type, value: unknown): Parameters[string] | undefined {
  const text = typeof value === 'string' ? value : undefined;
  switch (type) {
    case 'string':
      return text;
    case 'bool':
      return typeof value === 'boolean' ? value : text === 'true' ? true : text === 'false' ? false : undefined;
    case 'int': {
      const number = text !== undefined && /^[+-]?\d{1,16}$/.test(text) ? Number(text) : value;
      return Number.isSafeInteger(number) ? (number as number) : undefined;
    }
    case 'double': {
      const number = text !== undefined && /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : value;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    }
  }
}
