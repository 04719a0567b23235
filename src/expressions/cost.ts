import type { ASTNode } from '@marcbachmann/cel-js';

/** Steps one evaluation may take; about 10 ms, far from the second after which Temporal calls a workflow deadlocked. */
export const MAX_COST = 10_000;

/** How long a list is taken to be before it is known, and how much text it holds. Outputs are cut to ten times as many. */
const ELEMENTS = 100;
const UNKNOWN_SIZE = 1000;
/** Text and lists are copied this fast, compared with a step. */
const COPIED_PER_STEP = 100;

const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

interface Estimate {
  /** Steps. */
  cost: number;
  /** Characters and elements of the value, all levels together. */
  size: number;
}

/**
 * How many steps an expression takes at most, found out without values: the lists it goes through are taken to be a
 * hundred long. What grows with each step (text joined to itself, lists of lists) is followed, so that a short
 * expression cannot make a huge value.
 */
export const costOf = (ast: ASTNode): number => estimate(ast, {}).cost;

function estimate(node: ASTNode, sizes: Record<string, number>): Estimate {
  switch (node.op) {
    case 'value':
      return { cost: 1, size: typeof node.args === 'string' ? node.args.length + 1 : 1 };
    case 'id':
      return { cost: 1, size: sizes[node.args] ?? UNKNOWN_SIZE };
    case '.':
    case '.?': {
      const of = estimate(node.args[0], sizes);
      return { cost: of.cost + 1, size: of.size };
    }
    case '[]':
    case '[?]': {
      const [of, index] = all(node.args, sizes);
      return { cost: of!.cost + index!.cost + 1, size: of!.size };
    }
    case 'list':
      return together(all(node.args, sizes));
    case 'map':
      return together(all(node.args.flat(), sizes));
    case '+': {
      const both = together(all(node.args, sizes));
      return { cost: both.cost + both.size / COPIED_PER_STEP, size: both.size };
    }
    case '?:': {
      const { cost } = together(all(node.args, sizes));
      return { cost, size: Math.max(...all(node.args.slice(1), sizes).map(({ size }) => size)) };
    }
    case 'call': {
      const given = together(all(node.args[1], sizes));
      return { cost: given.cost + given.size / COPIED_PER_STEP, size: given.size };
    }
    case 'rcall':
      return called(node.args, sizes);
    case '!_':
    case '-_':
      return { cost: estimate(node.args, sizes).cost + 1, size: 1 };
    default: {
      // What is left compares or counts two values: a comparison looks at all of both.
      const both = together(all(node.args, sizes));
      return { cost: both.cost + both.size / COPIED_PER_STEP, size: 1 };
    }
  }
}

function called([name, receiver, given]: [string, ASTNode, ASTNode[]], sizes: Record<string, number>): Estimate {
  const of = estimate(receiver, sizes);
  const [variable, ...body] = given;
  if (!MACROS.has(name) || variable?.op !== 'id') {
    const both = together([of, ...all(given, sizes)]);
    return { cost: both.cost + both.size / COPIED_PER_STEP, size: both.size };
  }
  const rounds = Math.min(ELEMENTS, of.size);
  // One element may be nearly all of it.
  const inner = { ...sizes, [variable.args]: of.size };
  const each = together(all(body, inner));
  const made = name === 'map' ? rounds * each.size : name === 'filter' ? of.size : 1;
  return { cost: of.cost + rounds * each.cost + made / COPIED_PER_STEP, size: made };
}

const all = (nodes: readonly ASTNode[], sizes: Record<string, number>): Estimate[] =>
  nodes.map((node) => estimate(node, sizes));

const together = (parts: Estimate[]): Estimate => ({
  cost: parts.reduce((sum, { cost }) => sum + cost, 1),
  size: parts.reduce((sum, { size }) => sum + size, 1),
});
