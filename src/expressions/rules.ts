import type { ASTNode } from '@marcbachmann/cel-js';
import { MAX_COST, costOf } from './cost.ts';
import { ExpressionFault } from './fault.ts';
import { nodesOf } from './tree.ts';

/** What expressions may call. A list of what is allowed, so that a new function of the library is a decision of ours. */
const FUNCTIONS = new Set(
  (
    'has size string int double bool dyn all exists exists_one map filter startsWith endsWith contains ' +
    'lowerAscii upperAscii trim indexOf lastIndexOf substring split join'
  ).split(' '),
);

const REASONS: Record<string, string> = {
  matches: 'regular expressions backtrack, and one that is slow would stop the workflow; use contains or startsWith',
  now: 'an expression gives the same answer whenever it is evaluated; use wait or until',
  timestamp: 'an expression gives the same answer whenever it is evaluated; use wait or until',
};

/** @throws ExpressionFault when it calls what it may not, or may take too long */
export function assertAllowed(ast: ASTNode): void {
  for (const node of nodesOf(ast)) {
    if (node.op !== 'call' && node.op !== 'rcall') continue;
    const name = node.op === 'call' ? node.args[0] : node.args[0];
    if (FUNCTIONS.has(name)) continue;
    const why = REASONS[name] ?? `expected one of ${[...FUNCTIONS].join(', ')}`;
    throw new ExpressionFault(`"${name}" may not be used: ${why}`);
  }
  const cost = costOf(ast);
  if (cost > MAX_COST) {
    throw new ExpressionFault(
      `it costs ${format(cost)} steps on lists of a hundred, expected at most ${MAX_COST}: a list inside a list is too much`,
    );
  }
}

const format = (cost: number): string => (cost < 1e9 ? String(Math.ceil(cost)) : 'more than 1000000000');
