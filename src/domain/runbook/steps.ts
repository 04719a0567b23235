import type { CatalogRunbook, PlainStep, RunbookStep } from '../../contracts/runbook.ts';

export const STEP_KINDS = ['action', 'gate', 'wait', 'until', 'parallel', 'runbook'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** The one key that says what a step does. */
export const kindOf = (step: RunbookStep): StepKind => STEP_KINDS.find((kind) => kind in step)!;

/** A step with where it stands: `3`, or `3.1` for the first of a parallel one. */
export interface PlacedStep {
  step: PlainStep | RunbookStep;
  /** Counted from 1. */
  place: string;
  /** Within the runbook's list: `[2]`, or `[2, 'parallel', 0]`. */
  path: PropertyKey[];
}

/** The steps of a list, those within parallel ones after them. */
export function placedSteps(steps: readonly RunbookStep[]): PlacedStep[] {
  return steps.flatMap((step, index): PlacedStep[] => {
    const place = String(index + 1);
    const own = { step, place, path: [index] };
    if (!('parallel' in step)) return [own];
    return [own, ...step.parallel.map((each, at) => branch(own, each, at))];
  });
}

/** A branch of a parallel step. */
export const branch = ({ place, path }: PlacedStep, step: PlainStep, at: number): PlacedStep => ({
  step,
  place: `${place}.${at + 1}`,
  path: [...path, 'parallel', at],
});

/** How results and records name a step. */
export const labelOf = ({ step, place }: PlacedStep): string => step.name ?? place;

/** What a step does, in words: `scaleWorkload`, `wait 10 min`. */
export function titleOf(placed: PlacedStep): string {
  const { step } = placed;
  const what = step.name ? `${step.name}: ` : `step ${placed.place}: `;
  if ('action' in step) return `${what}${step.action}`;
  if ('gate' in step) return `${what}gate ${step.gate.name}`;
  if ('wait' in step) return `${what}wait`;
  if ('until' in step) return `${what}until ${step.until.is}`;
  if ('parallel' in step) return `${what}${step.parallel.length} steps side by side`;
  return `${what}runbook ${step.runbook}`;
}

/** How deep runbooks may call each other. */
export const MAX_DEPTH = 5;

/**
 * The names of a runbook and of all that it calls, itself first. What is not there is left out, and a cycle ends where
 * it began.
 */
export function reachable(name: string, runbooks: Readonly<Record<string, CatalogRunbook>>): string[] {
  const found = new Set<string>();
  const visit = (at: string): void => {
    if (found.has(at) || !Object.hasOwn(runbooks, at)) return;
    found.add(at);
    for (const { step } of placedSteps(runbooks[at]!.steps)) if ('runbook' in step) visit(step.runbook);
  };
  visit(name);
  return [...found];
}

/** The lease scopes of a runbook and of those it calls; `service` stands for the service it is started for. */
export const changesOf = (name: string, runbooks: Readonly<Record<string, CatalogRunbook>>): string[] => [
  ...new Set(reachable(name, runbooks).flatMap((each) => runbooks[each]!.changes)),
];
