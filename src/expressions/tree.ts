import type { ASTNode } from '@marcbachmann/cel-js';

/** The nodes right under a node, whichever operator it has. */
export function childrenOf(node: ASTNode): ASTNode[] {
  return [node.args as unknown].flat(3).filter(isNode);
}

/** A node with all that are below it. */
export const nodesOf = (node: ASTNode): ASTNode[] => [node, ...childrenOf(node).flatMap(nodesOf)];

const isNode = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
