import { posix, relative, sep } from 'node:path';
import { isBuiltin } from 'node:module';
import type { Rule } from 'eslint';
import { HOUSE, NODE, ORDINARY, VENDOR, VENDOR_SDKS } from './house.ts';

/** One import of a file, as the source has it. */
export interface Import {
  /** The importing file, relative to the repository, with `/`. */
  file: string;
  /** The module specifier: `zod`, `node:fs`, `../domain/duration.ts`. */
  specifier: string;
  /** `import type …`: gone at run time. (`import { type A }` is not: the module is still loaded.) */
  typeOnly: boolean;
}

/**
 * Judges one import against the table in house.ts.
 * @returns what is wrong with it, or undefined when it is allowed
 */
export function judgeImport({ file, specifier, typeOnly }: Import): string | undefined {
  const name = roomOf(file);
  const room = name === undefined ? undefined : HOUSE[name];
  if (!room) return unknownFolder(file);

  const target = targetOf(file, specifier);
  if (room.imports.some((entry) => matches(entry, target))) return undefined;
  if (room.types?.some((entry) => matches(entry, target))) {
    return typeOnly
      ? undefined
      : `${name} may import only types of ${target.label} (write \`import type\`): ${room.rule}.`;
  }
  return `${name} may not import ${target.label}: ${room.rule}.`;
}

type Target = { label: string; kind: 'file' | 'builtin' | 'vendor' | 'ordinary' };

function targetOf(file: string, specifier: string): Target {
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    return { label: posix.join(posix.dirname(file), specifier), kind: 'file' };
  }
  if (isBuiltin(specifier)) return { label: specifier, kind: 'builtin' };
  const label = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return { label, kind: VENDOR_SDKS.some((sdk) => sdk.test(label)) ? 'vendor' : 'ordinary' };
}

function matches(entry: string, { label, kind }: Target): boolean {
  if (entry === NODE) return kind === 'builtin';
  if (entry === ORDINARY) return kind === 'ordinary';
  if (entry === VENDOR) return kind === 'vendor';
  return label === entry || (kind === 'file' && (label.startsWith(`${entry}/`) || label === `${entry}.ts`));
}

function roomOf(file: string): string | undefined {
  return Object.keys(HOUSE).find((room) => file.startsWith(`${room}/`));
}

function unknownFolder(file: string): string | undefined {
  if (!file.includes('/')) return undefined; // configuration at the root
  return `${posix.dirname(file)} is in no room of the house: say in scripts/lint/house.ts what it may import.`;
}

/** The part of a node that holds what it imports; typed here because ESTree knows no TypeScript. */
type ImportNode = { source?: { value?: unknown } | null; importKind?: string; exportKind?: string };

/** ESLint rule: every import, re-export, `import()` and `import('…')` type follows the table in house.ts. */
export const arrows: Rule.RuleModule = {
  meta: { type: 'problem', docs: { description: 'imports follow the arrows of the house' }, schema: [] },
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/');

    function check(node: Rule.Node, typeOnly: boolean): void {
      const specifier = (node as ImportNode).source?.value;
      if (typeof specifier !== 'string') return;
      const message = judgeImport({ file, specifier, typeOnly });
      if (message) context.report({ node, message });
    }
    function checkStatement(node: Rule.Node): void {
      const { importKind, exportKind } = node as ImportNode;
      check(node, importKind === 'type' || exportKind === 'type');
    }

    return {
      ImportDeclaration: checkStatement,
      ExportNamedDeclaration: checkStatement,
      ExportAllDeclaration: checkStatement,
      ImportExpression: (node) => check(node, false),
      TSImportType: (node: Rule.Node) => check(node, true),
    };
  },
};
