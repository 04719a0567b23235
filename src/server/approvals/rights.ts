import type { GateView } from '../../contracts/gates.ts';
import { rightOf, type Person } from '../../domain/gate-rights.ts';

/** What somebody may do at a gate, as far as it can be told: the procedure has the last word. */
export interface Rights {
  approve: boolean;
  reject: boolean;
  retract: boolean;
  withdraw: boolean;
  breakGlass: boolean;
}

/** Roles of a person: their own, and those that they have as somebody's delegate. */
export function rolesOfPerson(name: string, people: Person[], at: number): string[] {
  const all = new Set(people.flatMap(({ roles }) => roles));
  return [...all].filter((role) => rightOf(name, [role], { people, at }) !== undefined);
}

/** What to offer: not what would be refused for sure. */
export function rightsOf(
  name: string,
  gate: GateView,
  { people, requestedBy, at }: { people: Person[]; requestedBy: string; at: number },
): Rights {
  const waits = gate.outcome === 'waiting';
  const able = waits && rightOf(name, gate.roles, { people, at }) !== undefined;
  const approved = gate.approvals.some(({ by }) => by === name);
  const own = people.find((each) => each.name === name)?.roles ?? [];
  return {
    approve: able && !approved,
    reject: able,
    retract: waits && approved,
    withdraw: waits && requestedBy === name,
    breakGlass: waits && own.some((role) => gate.breakGlass?.roles.includes(role)),
  };
}
