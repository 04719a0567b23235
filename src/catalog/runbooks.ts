import { needsLease } from '../actions/action.ts';
import { ACTIONS } from '../actions/index.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';
import type { CatalogRunbook, RunbookStep } from '../contracts/runbook.ts';
import { fillParameters, readAs } from '../domain/runbook/parameters.ts';
import { outputsOf, scopeOf } from '../domain/runbook/scope.ts';
import { MAX_DEPTH, branch, changesOf, placedSteps, reachable, type PlacedStep } from '../domain/runbook/steps.ts';
import { callProblems } from './action-calls.ts';
import { outputTypeOf } from './action-types.ts';
import { conditionProblems, isOpen, valueProblems, type View } from './expression-problems.ts';
import { gateProblems, type Guarded } from './gate-problems.ts';
import type { Problem } from './issues.ts';
import { duplicates, fault, noSuch } from './problems.ts';

/** Faults of the runbooks of a system: all that is wrong in one is known before anybody starts it. */
export function runbookProblems(catalog: SystemCatalog): Problem[] {
  return Object.entries(catalog.runbooks).flatMap(([name, runbook]) => {
    const path = ['runbooks', name];
    const placed = placedSteps(runbook.steps);
    const named = placed.filter(({ step }) => step.name);
    return [
      ...defaultProblems(runbook, path),
      ...scopeProblems(catalog, runbook, path),
      ...depthProblems(catalog, name, path),
      ...duplicates(
        named.map(({ step }) => step.name!),
        (index) => [...path, 'steps', ...named[index]!.path, 'name'],
        'step',
      ),
      ...stepProblems(catalog, name, runbook),
    ];
  });
}

function defaultProblems({ parameters }: CatalogRunbook, path: PropertyKey[]): Problem[] {
  return Object.entries(parameters).flatMap(([name, { type, default: value }]) =>
    value === undefined || (readAs(type, value) !== undefined && (type === 'string') === (typeof value === 'string'))
      ? []
      : [fault([...path, 'parameters', name, 'default'], `expected a default of type ${type}`)],
  );
}

function scopeProblems(
  { services, databases }: SystemCatalog,
  { changes }: CatalogRunbook,
  path: PropertyKey[],
): Problem[] {
  return changes.flatMap((scope, index) => {
    const database = /^database\/(.*)$/.exec(scope)?.[1];
    const at = [...path, 'changes', index];
    if (database !== undefined) {
      return Object.hasOwn(databases, database)
        ? []
        : [fault(at, noSuch('database', database, Object.keys(databases)))];
    }
    const known = scope === 'service' || Object.hasOwn(services, scope);
    return known ? [] : [fault(at, noSuch('service', scope, ['service', ...Object.keys(services)]))];
  });
}

function depthProblems({ runbooks }: SystemCatalog, name: string, path: PropertyKey[]): Problem[] {
  const depth = (at: string, above: string[]): number => {
    if (above.includes(at) || !Object.hasOwn(runbooks, at)) return above.length;
    const called = placedSteps(runbooks[at]!.steps).flatMap(({ step }) => ('runbook' in step ? [step.runbook] : []));
    return Math.max(above.length + 1, ...called.map((each) => depth(each, [...above, at])));
  };
  const deepest = depth(name, []);
  if (deepest <= MAX_DEPTH) return [];
  return [fault(path, `expected runbooks to call each other at most ${MAX_DEPTH} deep, got ${deepest}`, 'key')];
}

/** Faults of the steps of one runbook, in order: what a step may name depends on those before it. */
function stepProblems(catalog: SystemCatalog, name: string, runbook: CatalogRunbook): Problem[] {
  const named = placedSteps(runbook.steps).flatMap(({ step }) => step.name ?? []);
  return runbook.steps.flatMap((step, index) => {
    const view = viewAfter(runbook.steps.slice(0, index));
    const placed = { step, place: String(index + 1), path: [index] };
    if (!('parallel' in step)) return faultsOf(placed, view);
    return [
      ...faultsOf(placed, view),
      // What runs beside a step is not done before it.
      ...step.parallel.flatMap((each, at) => faultsOf(branch(placed, each, at), view)),
    ];
  });

  function viewAfter(steps: RunbookStep[]): View {
    const outputs = outputsOf(steps, outputTypeOf);
    return { scope: scopeOf(runbook, outputs), earlier: Object.keys(outputs), named };
  }

  function faultsOf({ step, path: at }: PlacedStep, view: View): Problem[] {
    const path = ['runbooks', name, 'steps', ...at];
    const own = (): Problem[] => {
      if ('action' in step) return [...callProblems(step, view, path), ...changeProblems(step.action, path)];
      if ('gate' in step) {
        const gate = [...path, 'gate'];
        return [
          ...(step.gate.environments
            ? [fault([...gate, 'environments'], "expected a condition: when: catalog.environment == '…'")]
            : []),
          ...gateProblems(catalog, step.gate, gate, guardedBy(name)),
          ...valueProblems(step.gate.asks, view, [...gate, 'asks']),
        ];
      }
      if ('until' in step) return untilProblems(step.until, view, [...path, 'until']);
      return 'runbook' in step ? callOfRunbook(step, view, path) : [];
    };
    return [
      ...(step.when === undefined ? [] : conditionProblems(step.when, view, [...path, 'when'])),
      ...own(),
      ...undoProblems(step, view, path),
    ];
  }

  /** What an approval in this runbook stands before: what it changes itself, and what those change that call it. */
  function guardedBy(at: string): Guarded {
    const { runbooks } = catalog;
    const callers = Object.keys(runbooks).filter((each) => reachable(each, runbooks).includes(at));
    return callers.some((each) => changesOf(each, runbooks).length > 0) ? 'changes' : 'nothing';
  }

  function changeProblems(called: string, path: PropertyKey[]): Problem[] {
    const action = ACTIONS.get(called);
    if (runbook.changes.length > 0 || !action || !needsLease(action)) return [];
    const message = `${called} changes something: expected the runbook to say under "changes" what it covers (service, or database/<name>)`;
    return [fault([...path, 'action'], message)];
  }

  function untilProblems(
    until: Extract<RunbookStep, { until: unknown }>['until'],
    view: View,
    path: PropertyKey[],
  ): Problem[] {
    const { action, is, every, within, holdsFor } = until;
    const scope = { ...view.scope, output: outputTypeOf(action) ?? ('dyn' as const) };
    const problems = [
      ...callProblems(until, view, path),
      ...conditionProblems(is, { ...view, scope }, [...path, 'is']),
    ];
    if ((ACTIONS.get(action)?.changes ?? 'nothing') !== 'nothing') {
      problems.push(
        fault(
          [...path, 'action'],
          `expected an action that only looks: ${action} would change something at every look`,
        ),
      );
    }
    if (every > within) problems.push(fault([...path, 'every'], 'expected an interval shorter than the deadline'));
    if (holdsFor > within)
      problems.push(fault([...path, 'holdsFor'], 'expected a hold time shorter than the deadline'));
    return problems;
  }

  function callOfRunbook(
    { runbook: called, with: given }: Extract<RunbookStep, { runbook: unknown }>,
    view: View,
    path: PropertyKey[],
  ): Problem[] {
    const { runbooks } = catalog;
    if (!Object.hasOwn(runbooks, called)) {
      return [fault([...path, 'runbook'], noSuch('runbook', called, Object.keys(runbooks)))];
    }
    if (reachable(called, runbooks).includes(name)) {
      return [fault([...path, 'runbook'], `expected runbooks that end: ${called} calls ${name} again`)];
    }
    const declared = runbooks[called]!.parameters;
    const known = Object.fromEntries(Object.entries(given).filter(([, value]) => !isOpen(value)));
    // Those with templates are given, whatever they will be.
    const asked = Object.fromEntries(
      Object.entries(declared).filter(([key]) => !Object.hasOwn(given, key) || Object.hasOwn(known, key)),
    );
    const unknown = Object.keys(given).filter((key) => !Object.hasOwn(declared, key));
    const literal = Object.fromEntries(Object.entries(known).filter(([key]) => !unknown.includes(key)));
    return [
      ...unknown.map((key) => fault([...path, 'with', key], noSuch('parameter', key, Object.keys(declared)), 'key')),
      ...fillParameters(asked, literal).faults.map((message) => fault([...path, 'runbook'], `${called}: ${message}`)),
      ...valueProblems(given, view, [...path, 'with']),
    ];
  }

  function undoProblems(step: RunbookStep, view: View, path: PropertyKey[]): Problem[] {
    const { undo, undoWhen } = step;
    if (undo === undefined) {
      return undoWhen === 'end' ? [fault([...path, 'undoWhen'], 'expected "undo" beside it: nothing says how')] : [];
    }
    if (undo !== 'own') {
      return [...callProblems(undo, view, [...path, 'undo']), ...changeProblems(undo.action, [...path, 'undo'])];
    }
    if (!('action' in step))
      return [fault([...path, 'undo'], 'expected an action to take it back with: only an action has its own')];
    const action = ACTIONS.get(step.action);
    const message = `${step.action} has no way back of its own; expected an action that takes it back`;
    return action && !action.plan ? [fault([...path, 'undo'], message)] : [];
  }
}
