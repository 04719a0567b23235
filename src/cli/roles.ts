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
    [...new Set(systems)].map((system) => rolesOfFile(join(directory, `${system}.yaml`), person, at)),
  );
  const known = found.filter((roles) => roles !== undefined);
  return known.length === 0 ? undefined : [...new Set(known.flat())];
}

async function rolesOfFile(file: string, person: string, at: number): Promise<string[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { rolesIn } = await import('./catalog-roles.ts');
  return rolesIn(text, person, at);
}
