import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import type { ExpressionScope, ExpressionType } from '../contracts/expression-type.ts';
import { ExpressionFault } from './fault.ts';

/** Characters of one expression; the schema of the catalog says the same. */
export const MAX_LENGTH = 1000;
/** Far beyond what a person reads at a glance, and far below what takes noticeable time. */
const LIMITS = { maxAstNodes: 200, maxDepth: 24, maxListElements: 50, maxMapEntries: 50, maxCallArguments: 4 };

/** An expression that was parsed, and can be type-checked and evaluated. */
export interface Parsed {
  ast: ASTNode;
  /** @throws ExpressionFault */
  check(): string;
  /** @throws ExpressionFault */
  evaluate(values: Record<string, unknown>): unknown;
}

/** @throws ExpressionFault when it does not parse, or is too long or too deep */
export function parseExpression(source: string, scope: ExpressionScope): Parsed {
  if (source.length > MAX_LENGTH) {
    throw new ExpressionFault(`expected at most ${MAX_LENGTH} characters, got ${source.length}`);
  }
  const environment = new Environment({ limits: LIMITS });
  for (const [name, type] of Object.entries(scope)) environment.registerVariable({ name, ...declare(type) });
  const parsed = attempt(() => environment.parse(source));
  return {
    ast: parsed.ast,
    check: () => {
      const { valid, type, error } = parsed.check();
      if (!valid) throw faultOf(error);
      return type ?? 'dyn';
    },
    evaluate: (values) => attempt(() => parsed(values) as unknown),
  };
}

type Schema = { [field: string]: string | Schema };

function declare(type: ExpressionType): { type: string } | { schema: Schema } {
  const declared = declaredAs(type);
  return typeof declared === 'string' ? { type: declared } : { schema: declared };
}

/** The library knows objects with fields as variables and as fields of others; within a list or a map they are `dyn`. */
function declaredAs(type: ExpressionType): string | Schema {
  if (typeof type === 'string') return type;
  if ('fields' in type) {
    return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, declaredAs(field)]));
  }
  const held = declaredAs('list' in type ? type.list : type.map);
  const item = typeof held === 'string' ? held : 'dyn';
  return 'list' in type ? `list<${item}>` : `map<string, ${item}>`;
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw faultOf(error);
  }
}

/** One line, without the library's drawing of the place. */
function faultOf(error: unknown): ExpressionFault {
  const { summary, message } = error as { summary?: string; message?: string };
  const text = summary ?? message ?? String(error);
  const [, limit, most] = /^Exceeded (max\w+) \((\d+)\)/.exec(text) ?? [];
  return new ExpressionFault(limit ? `it is too large: expected at most ${most} (${limit})` : text);
}
