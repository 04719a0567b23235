import type { CatalogGate } from '../contracts/catalog-parts.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';
import type { Problem } from './issues.ts';
import { fault, noSuch } from './problems.ts';

/** Faults of a gate: roles that nobody has, more approvals than people, an escalation that comes too late. */
export function gateProblems({ people }: SystemCatalog, gate: CatalogGate, path: PropertyKey[]): Problem[] {
  const held = [...new Set(people.flatMap((each) => each.roles))];
  const unheld = (roles: string[], at: PropertyKey[]) =>
    roles.flatMap((role, index) =>
      held.includes(role) ? [] : [fault([...at, index], noSuch('person with the role', role, held))],
    );
  const problems = unheld(gate.roles, [...path, 'roles']);
  if (gate.escalation) {
    problems.push(...unheld(gate.escalation.roles, [...path, 'escalation', 'roles']));
    if (gate.escalation.after >= gate.expiresAfter) {
      problems.push(fault([...path, 'escalation', 'after'], 'expected an escalation before the gate expires'));
    }
  }
  const able = people.filter((each) => each.roles.some((role) => gate.roles.includes(role))).length;
  if (able > 0 && able < gate.quorum) {
    problems.push(
      fault([...path, 'quorum'], `expected at most ${able}, as many as may decide this gate, got ${gate.quorum}`),
    );
  }
  return problems;
}
