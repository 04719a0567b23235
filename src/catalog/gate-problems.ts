import type { CatalogGate } from '../contracts/catalog-parts.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';
import type { Problem } from './issues.ts';
import { UNPROVABLE } from './identity-problems.ts';
import { fault, noSuch } from './problems.ts';

/** What a gate stands before: nothing that changes, a change, or data that would be replaced. */
export type Guarded = 'nothing' | 'changes' | 'data';

/** Each reminder is a timer and a notice in the history. */
const MOST_REMINDERS = 100;

/**
 * Faults of a gate: roles and channels that nobody has, more approvals than people, times that contradict each other,
 * silence that would let a change pass, a form that cannot be filled in.
 */
export function gateProblems(
  catalog: SystemCatalog,
  gate: CatalogGate,
  path: PropertyKey[],
  guarded: Guarded,
): Problem[] {
  const granted = Object.values(catalog.identity?.groups ?? {}).flat();
  const held = [...new Set([...catalog.people.flatMap((each) => each.roles), ...granted])];
  const channels = Object.keys(catalog.channels);
  const unheld = unknownNames('person with the role', held);
  const untold = unknownNames('channel', channels);
  const environments = Object.keys(catalog.environments);
  return [
    ...unheld(gate.roles, [...path, 'roles']),
    ...unheld(gate.escalation?.roles, [...path, 'escalation', 'roles']),
    ...unheld(gate.breakGlass?.roles, [...path, 'breakGlass', 'roles']),
    ...unknownNames('environment', environments)(gate.environments, [...path, 'environments']),
    ...untold(gate.notify, [...path, 'notify']),
    ...untold(gate.breakGlass?.notify, [...path, 'breakGlass', 'notify']),
    ...(gate.roles.some((role) => granted.includes(role)) ? [] : quorumProblems(catalog, gate, path)),
    ...(gate.identity === 'verified' && !catalog.identity ? [fault([...path, 'identity'], UNPROVABLE)] : []),
    ...timeProblems(gate, path),
    ...silenceProblems(gate, path, guarded),
    ...formProblems(gate, path),
    ...criteriaProblems(gate, path),
  ];
}

const unknownNames =
  (what: string, known: string[]) =>
  (names: string[] | undefined, path: PropertyKey[]): Problem[] =>
    (names ?? []).flatMap((name, index) =>
      known.includes(name) ? [] : [fault([...path, index], noSuch(what, name, known))],
    );

/** Delegates are not counted: what works during a holiday must work after it. */
function quorumProblems({ people }: SystemCatalog, gate: CatalogGate, path: PropertyKey[]): Problem[] {
  const { roles, quorum } = gate;
  const programs = !gate.fourEyes || gate.services === true;
  const able = people.filter(
    (each) => (programs || !each.service) && each.roles.some((role) => roles.includes(role)),
  ).length;
  if (able === 0 || able >= quorum) return [];
  return [fault([...path, 'quorum'], `expected at most ${able}, as many as may decide this gate, got ${quorum}`)];
}

function timeProblems({ expiresAfter, escalation, remindEvery }: CatalogGate, path: PropertyKey[]): Problem[] {
  const problems: Problem[] = [];
  if (escalation?.after !== undefined && escalation.after >= expiresAfter)
    problems.push(fault([...path, 'escalation', 'after'], 'expected an escalation before the gate expires'));
  if (remindEvery === undefined) return problems;
  const at = [...path, 'remindEvery'];
  if (remindEvery >= expiresAfter) problems.push(fault(at, 'expected a reminder before the gate expires'));
  if (expiresAfter / remindEvery > MOST_REMINDERS)
    problems.push(fault(at, `expected at most ${MOST_REMINDERS} reminders until the gate expires`));
  return problems;
}

/** What nobody decides must not change anything. */
function silenceProblems(gate: CatalogGate, path: PropertyKey[], guarded: Guarded): Problem[] {
  const { onExpiry, escalation, harmless, kind } = gate;
  const problems: Problem[] = [];
  if (onExpiry === 'escalate' && !escalation)
    problems.push(fault([...path, 'onExpiry'], 'expected "escalation" beside it: nothing says to whom'));
  if (escalation && escalation.after === undefined && onExpiry !== 'escalate')
    problems.push(fault([...path, 'escalation'], 'expected "after", or "onExpiry: escalate": nothing says when'));
  if (harmless && onExpiry !== 'continue')
    problems.push(fault([...path, 'harmless'], 'expected "onExpiry: continue" beside it: it says nothing by itself'));
  if (onExpiry !== 'continue') return problems;
  const refuse = (message: string): number => problems.push(fault([...path, 'onExpiry'], message));
  if (!harmless) refuse('expected "harmless: true" beside it: silence lets the procedure go on');
  if (guarded === 'data') refuse("expected rejected or escalate: nobody's silence replaces a database");
  else if (guarded === 'changes' && kind === 'approval')
    refuse('expected rejected or escalate: silence approves no change (a confirmation may continue)');
  return problems;
}

function formProblems({ form }: CatalogGate, path: PropertyKey[]): Problem[] {
  if (!form) return [];
  const at = [...path, 'form'];
  const names = Object.keys(form.properties);
  const bounds = Object.entries(form.properties).flatMap(([name, field]) => {
    const where = [...at, 'properties', name];
    const [least, most] =
      field.type === 'string' ? [field.minLength, field.maxLength]
      : field.type === 'boolean' ? [] : [field.minimum, field.maximum]; // prettier-ignore
    return least !== undefined && most !== undefined && least > most
      ? [fault(where, `expected bounds that something fits, got ${least} to ${most}`)]
      : [];
  });
  return [...unknownNames('field', names)(form.required, [...at, 'required']), ...bounds];
}

/** The form holds so many fields; a criterion is one of them. */
const MOST_CRITERIA = 20;

function criteriaProblems({ criteria, form }: CatalogGate, path: PropertyKey[]): Problem[] {
  if (!criteria) return [];
  const at = [...path, 'criteria'];
  const { go, noGo } = criteria;
  const count = Object.keys(go).length + Object.keys(noGo).length;
  return [
    ...(form ? [fault(at, 'expected "criteria" or "form": criteria are answered in a form of their own')] : []),
    ...(count === 0 || count > MOST_CRITERIA
      ? [fault(at, `expected 1 to ${MOST_CRITERIA} criteria, got ${count}`)]
      : []),
    ...Object.keys(noGo)
      .filter((name) => Object.hasOwn(go, name))
      .map((name) => fault([...at, 'noGo', name], 'expected another name: one of "go" has it')),
  ];
}
