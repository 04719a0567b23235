import { rolesOfGate } from '../../src/domain/gate-rights.ts';
import { expiresAt, type GateState } from '../../src/domain/gate-state.ts';
import type { Procedure } from './procedure.ts';

/** Tells people while gates wait: the escalation once, reminders again and again, the second period when it begins. */
export interface GateCalls {
  /**
   * Tells whom it is time to tell.
   * @returns when to look again, at the latest when the first gate expires
   */
  due(waiting: GateState[], now: number): number;
}

export function callOut(procedure: Procedure): GateCalls {
  const escalated = new Set<string>();
  const extended = new Set<string>();
  const remindedAt = new Map<string, number>();
  const remindAt = ({ spec, openedAt }: GateState): number =>
    spec.remindEveryMs === undefined ? Infinity : (remindedAt.get(spec.name) ?? openedAt) + spec.remindEveryMs;
  const escalateAt = ({ spec, openedAt }: GateState): number =>
    escalated.has(spec.name) ? Infinity : openedAt + (spec.escalation?.afterMs ?? Infinity);

  return {
    due(waiting, now) {
      for (const gate of waiting) {
        extend(gate);
        if (now >= escalateAt(gate)) escalate(gate);
      }
      remind(
        waiting.filter((gate) => now >= remindAt(gate)),
        now,
      );
      return Math.min(...waiting.flatMap((gate) => [expiresAt(gate), escalateAt(gate), remindAt(gate)]));
    },
  };

  function escalate(gate: GateState): void {
    const { spec } = gate;
    const { roles } = spec.escalation!;
    escalated.add(spec.name);
    procedure.record(`gate ${spec.name} escalates to ${roles.join(', ')}`);
    procedure.tell(`Nobody has decided gate ${spec.name}; asking ${roles.join(' and ')} too.`, spec.notify, [gate]);
  }

  function extend(gate: GateState): void {
    const { spec, escalatedAt } = gate;
    if (escalatedAt === undefined || extended.has(spec.name)) return;
    extended.add(spec.name);
    // They are told now; there is no need to tell them that they will be.
    escalated.add(spec.name);
    const roles = rolesOfGate(gate).join(' or ');
    const until = new Date(expiresAt(gate)).toISOString();
    procedure.record(`gate ${spec.name} was not decided in time: ${roles} may decide until ${until}`);
    procedure.tell(
      `Nobody decided gate ${spec.name} in time; now ${roles} may decide it, until ${until}.`,
      spec.notify,
      [gate],
    );
  }

  function remind(due: GateState[], now: number): void {
    if (due.length === 0) return;
    for (const { spec } of due) remindedAt.set(spec.name, now);
    const lines = due.map(
      (gate) =>
        `${gate.spec.name} (${rolesOfGate(gate).join(' or ')}, until ${new Date(expiresAt(gate)).toISOString()})`,
    );
    procedure.tell(
      `Still waiting for ${lines.join(', ')}`,
      due.flatMap(({ spec }) => spec.notify ?? []),
      due,
    );
  }
}
