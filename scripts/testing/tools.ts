// The tools of the repository as child processes of the Node that runs us: `npm run` finds Node 24 in node_modules on a
// machine whose own Node is older, and children must get the same one.
import { delimiter, dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const REPORTS = join(ROOT, 'reports');

const BIN = {
  prettier: 'prettier/bin/prettier.cjs',
  eslint: 'eslint/bin/eslint.js',
  tsc: 'typescript/bin/tsc',
  jest: 'jest/bin/jest.js',
  jscpd: 'jscpd/dist/bin/jscpd.js',
};

/** Arguments for `process.execPath` that run an installed tool. */
export function tool(name: keyof typeof BIN, ...args: string[]): string[] {
  // Jest loads ES modules through the VM API, which Node hides behind a flag; the warning about it helps nobody.
  const flags = name === 'jest' ? ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'] : [];
  return [...flags, join(ROOT, 'node_modules', BIN[name]), ...args];
}

/** The environment of children: our Node first on the PATH. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`, ...extra };
}
