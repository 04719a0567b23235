import type { Plan } from './plan.ts';

/** Query `progress` of every procedure: what an operator must know at a glance. Times are ISO 8601. */
export interface ProgressView {
  procedure: string;
  /** Coarse state, also the search attribute OpsPhase: `planning`, `waiting`, `changing`, `soaking`, `undoing`, `rescue`, `done`, `failed`. */
  phase: Phase;
  /** What happens now, in words. */
  step: string;
  next?: string;
  /** Roles that are awaited, also the search attribute OpsAwaiting. */
  awaiting: string[];
  /** More lines in plain words: leases, checks, verdicts. */
  lines: string[];
  /** The exact command that brings back by hand what the procedure protects: traffic, mostly. */
  escape?: string;
  /** To what effect, as the end of a sentence: `it sends all traffic to v1`. */
  escapeDoes?: string;
  plan?: Plan;
  startedAt: string;
  etaAt?: string;
  /** Somebody asked to pause at the next step. */
  held?: { by: string; reason: string };
  timeline: { at: string; text: string }[];
}

export type Phase =
  'planning' | 'waiting' | 'changing' | 'soaking' | 'undoing' | 'rescue' | 'sleeping' | 'done' | 'failed';
