import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The roles of a person: WINDLASS_ROLES (separated by commas), else what the `people` of the named systems say, with
 * those that they have as somebody's delegate.
 * It only sorts what is shown ("waits for me") and picks a gate; the procedure itself decides who may decide.
 * @returns undefined when nothing tells: no variable, and no readable catalog that lists the person
 */
export async function rolesOf(
  person: string,
  systems: string[],
  env: NodeJS.ProcessEnv,
  at = Date.now(),
): Promise<string[] | undefined> {
  const given = env['WINDLASS_ROLES'];
  if (given !== undefined) return given.split(',').map((role) => role.trim()).filter((role) => role !== ''); // prettier-ignore
  const directory = env['WINDLASS_SYSTEMS'] ?? 'systems';
  const found = await Promise.all(
    [...new Set(systems)].map((system) => rolesIn(join(directory, `${system}.yaml`), person, at)),
  );
  const known = found.filter((roles) => roles !== undefined);
  return known.length === 0 ? undefined : [...new Set(known.flat())];
}

async function rolesIn(file: string, name: string, at: number): Promise<string[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { parse } = await import('yaml');
  const { z } = await import('zod');
  const roles = z.array(z.string());
  const delegates = z.array(z.object({ to: z.string(), roles, until: z.string() })).optional();
  // Only these fields are read: a fault elsewhere in the catalog is for the worker to report.
  const people = z.object({ people: z.array(z.object({ name: z.string(), roles, delegates })) });
  try {
    const parsed = people.parse(parse(text)).people;
    const given = parsed
      .flatMap((each) => each.delegates ?? [])
      .filter(({ to, until }) => to === name && at < Date.parse(until))
      .flatMap((delegation) => delegation.roles);
    const entry = parsed.find((each) => each.name === name);
    return entry && [...new Set([...entry.roles, ...given])];
  } catch {
    return undefined;
  }
}
