import type { GateSpec } from './gates.ts';

/** One object that a procedure would create, change, delete or run. */
export interface PlannedChange {
  verb: 'create' | 'patch' | 'delete' | 'run';
  kind: string;
  name: string;
  /** One line: why. */
  why: string;
  /** Unified diff or manifest as the server's dry run answered it; literals of the environment appear as an HMAC. */
  diff?: string;
}

/** Why a procedure cannot do what was asked: a code for machines, a text with what to do for people. */
export interface Refusal {
  code: string;
  message: string;
}

/** Everything a person must see before a procedure changes anything. */
export interface Plan {
  /** What people must know of this plan: the target's identity, the age of a backup, what would be lost. */
  facts: { label: string; text: string }[];
  changes: PlannedChange[];
  refusals: Refusal[];
  warnings: string[];
  /** Decided before anything changes. */
  gates: GateSpec[];
  blastRadius: string;
  reversibility: string;
  expectedDurationMs: number;
  /** SHA-256 of intent and preconditions: what an approval approves. */
  digest: string;
}
