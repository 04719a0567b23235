import type { Decision, GateView } from '../contracts/gates.ts';
import { CliError } from './errors.ts';

/**
 * The gate a decision is for: the named one, else the only one the person can decide. Unknown roles count as able:
 * the procedure judges, this only spares typing. What is withdrawn is withdrawn at every gate.
 * @throws CliError `refused` when nothing waits, `usage` when it must be named
 */
export function chooseGate(
  gates: GateView[],
  named: string | undefined,
  me: string,
  roles: string[] | undefined,
  { decision, breakGlass }: Pick<Decision, 'decision' | 'breakGlass'> = { decision: 'approve' },
): GateView {
  const waiting = gates.filter(({ outcome }) => outcome === 'waiting');
  const list = waiting.map(({ name, roles: needed }) => `${name} (${needed.join(' or ')})`).join(', ');
  if (named !== undefined) {
    const gate = gates.find(({ name }) => name === named);
    if (!gate) throw new CliError('refused', `There is no gate ${named}. Waiting: ${list || 'none'}.`);
    // A gate that is decided is sent all the same: the procedure answers what became of it, and records who asked.
    return gate;
  }
  if (waiting.length === 0) throw new CliError('refused', 'No gate waits for a decision now.');
  if (decision === 'withdraw') return waiting[0]!;
  const mayDecide = (gate: GateView): boolean => {
    const approved = gate.approvals.some(({ by }) => by === me);
    if (decision === 'retract') return approved;
    const needed = breakGlass ? (gate.breakGlass?.roles ?? []) : gate.roles;
    return (decision === 'reject' || !approved) && (!roles || needed.some((role) => roles.includes(role)));
  };
  const able = waiting.filter(mayDecide);
  if (able.length === 1) return able[0]!;
  if (able.length === 0 && waiting.length === 1) return waiting[0]!;
  throw new CliError(
    'usage',
    able.length === 0
      ? `None of the waiting gates is for ${me}${roles ? ` (${roles.join(', ') || 'no role'})` : ''}: ${list}.`
      : `Several gates wait: ${list}.`,
    `Name one: windlass ${decision} ID GATE`,
  );
}
