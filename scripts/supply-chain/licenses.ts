/** Licenses under which Windlass may be passed on with what it is made of: all permissive. */
const ALLOWED = new Set([
  ...['MIT', 'MIT-0', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'],
  ...['Unlicense', 'PSF-2.0'],
]);

/** Packages looked at by hand, by name. One that changes its license is looked at again: `found` is what it said. */
const EXCEPTIONS: Record<string, { found: string | undefined; why: string }> = {
  'caniuse-lite': { found: 'CC-BY-4.0', why: 'a table of browsers, used by the bundler and not passed on in a bundle' },
  unionfs: { found: undefined, why: 'its LICENSE file is the Unlicense; package.json does not say so' },
};

/**
 * Whether a package may be part of Windlass.
 * @param license an SPDX expression of names, AND, OR and parentheses around a choice, as package.json has it
 */
export function isAllowed(name: string, license: string | undefined): boolean {
  const exception = EXCEPTIONS[name];
  if (exception && exception.found === license) return true;
  return license !== undefined && license.split(' AND ').every(oneAllowed);
}

const oneAllowed = (part: string): boolean =>
  part
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => ALLOWED.has(choice));
