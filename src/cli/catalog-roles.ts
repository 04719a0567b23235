import { parse } from 'yaml';
import { z } from 'zod';

const roles = z.array(z.string());
const delegates = z.array(z.object({ to: z.string(), roles, until: z.string() })).optional();
// Only these fields are read: a fault elsewhere in the catalog is for the worker to report.
const withPeople = z.object({ people: z.array(z.object({ name: z.string(), roles, delegates })) });

/**
 * The roles that the text of a system file gives a person, with those that they have as somebody's delegate.
 * @returns undefined when it does not list them, or is not a system file
 */
export function rolesIn(text: string, name: string, at: number): string[] | undefined {
  try {
    const { people } = withPeople.parse(parse(text));
    const given = people
      .flatMap((each) => each.delegates ?? [])
      .filter(({ to, until }) => to === name && at < Date.parse(until))
      .flatMap((delegation) => delegation.roles);
    const entry = people.find((each) => each.name === name);
    return entry && [...new Set([...entry.roles, ...given])];
  } catch {
    return undefined;
  }
}
