import type { Decision, DecisionCode, GateSpec, VerifiedIdentity } from '../contracts/gates.ts';
import type { GateState } from './gate-state.ts';

/** A person of the catalog: roles, and who decides in their place until when (ISO 8601). */
export interface Person {
  name: string;
  roles: string[];
  delegates?: { to: string; roles: string[]; until: string }[] | undefined;
  /** A program that decides by itself. */
  service?: boolean | undefined;
}

export interface GateContext {
  /** Milliseconds since the epoch. */
  at: number;
  people: Person[];
  requestedBy: string;
  /** Every gate of the procedure that counts for distinct people, this one included. */
  all: GateState[];
  /** What is wrong with the fields that were filled in; absent or empty: nothing. */
  fieldFaults?: string[];
  /** How the server knew who decides; absent: the message only says so. */
  verified?: VerifiedIdentity;
}

export interface Fault {
  code: DecisionCode;
  message: string;
}

/** Shorter reasons for a break-glass are excuses. */
export const SHORTEST_BREAK_GLASS_REASON = 10;

/** A person may change their mind, but not fill the history: after so many decisions none is retracted any more. */
const MOST_DECISIONS = 50;

/** Roles that may decide now: after an escalation those of the escalation too. */
export const rolesOfGate = ({ spec, escalatedAt }: Pick<GateState, 'spec' | 'escalatedAt'>): string[] =>
  escalatedAt === undefined ? spec.roles : [...new Set([...spec.roles, ...(spec.escalation?.roles ?? [])])];

/**
 * By which right a person has one of the roles: their own, or that of somebody whose delegate they are (`for`). Delegates
 * hand nothing on: only own roles can be delegated.
 */
export function rightOf(
  name: string,
  roles: string[],
  { people, at }: Pick<GateContext, 'people' | 'at'>,
): { for?: string } | undefined {
  if (people.some((each) => each.name === name && each.roles.some((role) => roles.includes(role)))) return {};
  const giver = people.find((each) =>
    (each.delegates ?? []).some(
      ({ to, roles: given, until }) =>
        to === name &&
        at < Date.parse(until) &&
        given.some((role) => roles.includes(role) && each.roles.includes(role)),
    ),
  );
  return giver && { for: giver.name };
}

/** The people as they are for one decision: with the roles that groups of the identity provider grant to who decides. */
export const withGrantedRoles = (people: Person[], by: string, roles: string[]): Person[] =>
  roles.length === 0
    ? people
    : people.map((each) => (each.name === by ? { ...each, roles: [...new Set([...each.roles, ...roles])] } : each));

/** Why a decision does not count for a gate that waits; undefined when it does. */
export function faultOf(gate: GateState, decision: Decision, context: GateContext): Fault | undefined {
  const { spec } = gate;
  if (decision.code !== gate.code)
    return {
      code: 'wrong-code',
      message: `Code ${decision.code} belongs to another run or another plan. Look at what is asked now; its code is ${gate.code}.`,
    };
  if (spec.identity === 'verified' && !context.verified)
    return {
      code: 'identity-required',
      message: `Gate ${spec.name} wants a verified identity: decide it with windlass after windlass login, or on its page. A name in a message is not enough.`,
    };
  if (decision.decision === 'withdraw') return faultOfWithdrawal(spec, decision, context);
  const person = context.people.find(({ name }) => name === decision.by);
  if (!person) return { code: 'unknown-person', message: `${decision.by} is not in the catalog's people.` };
  if (decision.decision === 'retract') return faultOfRetraction(gate, decision);
  if (person.service && decision.decision === 'approve' && (decision.breakGlass || (spec.fourEyes && !spec.services)))
    return {
      code: 'person-required',
      message: `${person.name} is a service; a person must approve gate ${spec.name}.`,
    };
  if (decision.breakGlass) return faultOfBreakGlass(spec, decision, person);
  const roles = rolesOfGate(gate);
  if (!rightOf(decision.by, roles, context))
    return {
      code: 'wrong-role',
      message: `${decision.by} has ${person.roles.join(', ')}; gate ${spec.name} needs ${roles.join(' or ')}.`,
    };
  const again = gate.approvals.some(({ by }) => by === decision.by);
  if (again && (decision.decision === 'approve' || gate.fixedVotes))
    return { code: 'same-person', message: `${decision.by} already approved gate ${spec.name}.` };
  // A rejection is always welcome: four eyes, comments and forms protect against approving lightly, not against stopping.
  if (decision.decision === 'reject') return undefined;
  return faultOfFourEyes(gate, decision, context) ?? faultOfPaper(spec, decision, context);
}

function faultOfWithdrawal(spec: GateSpec, { by }: Decision, { requestedBy }: GateContext): Fault | undefined {
  if (spec.withdrawable === false)
    return { code: 'not-requester', message: `Gate ${spec.name} cannot be withdrawn; somebody must decide it.` };
  if (requestedBy !== '' && by === requestedBy) return undefined;
  const who = requestedBy === '' ? 'nobody asked for this' : `${requestedBy} did`;
  return {
    code: 'not-requester',
    message: `Only who asked for it can withdraw gate ${spec.name}, and ${who}. To stop it: reject.`,
  };
}

function faultOfRetraction({ spec, approvals, decisions }: GateState, { by }: Decision): Fault | undefined {
  if (!approvals.some((vote) => vote.by === by))
    return { code: 'not-approved', message: `${by} has not approved gate ${spec.name}: there is nothing to retract.` };
  if (decisions.length >= MOST_DECISIONS)
    return {
      code: 'rate-limited',
      message: `Gate ${spec.name} has ${decisions.length} decisions: none is retracted any more. To stop it: reject.`,
    };
  return undefined;
}

/** Own roles only: whoever is given a role for a holiday is not given the hammer. */
function faultOfBreakGlass(spec: GateSpec, { by, reason }: Decision, { roles }: Person): Fault | undefined {
  const { breakGlass } = spec;
  if (!breakGlass) return { code: 'no-break-glass', message: `Nobody may pass gate ${spec.name} alone.` };
  if (!roles.some((role) => breakGlass.roles.includes(role)))
    return {
      code: 'wrong-role',
      message: `${by} has ${roles.join(', ')}; passing gate ${spec.name} alone needs ${breakGlass.roles.join(' or ')}.`,
    };
  if ((reason ?? '').length >= SHORTEST_BREAK_GLASS_REASON) return undefined;
  return {
    code: 'comment-required',
    message: `Passing gate ${spec.name} alone needs a reason of at least ${SHORTEST_BREAK_GLASS_REASON} characters.`,
  };
}

function faultOfFourEyes({ spec }: GateState, { by }: Decision, { requestedBy, all }: GateContext): Fault | undefined {
  if (!spec.fourEyes) return undefined;
  if (by === requestedBy) return { code: 'requester-excluded', message: `${by} asked for this and cannot approve it.` };
  // It is the human that counts, whoever they decide for.
  const other = all.find(
    (each) =>
      each.spec.name !== spec.name &&
      each.spec.fourEyes &&
      [...each.approvals, ...(each.brokenGlass ? [each.brokenGlass] : [])].some((vote) => vote.by === by),
  );
  return (
    other && {
      code: 'same-person',
      message: `${by} already approved gate ${other.spec.name}; another person must approve ${spec.name}.`,
    }
  );
}

function faultOfPaper(spec: GateSpec, { reason }: Decision, { fieldFaults = [] }: GateContext): Fault | undefined {
  if (spec.comment === 'required' && !reason)
    return { code: 'comment-required', message: `Gate ${spec.name} needs a comment with an approval (reason).` };
  if (fieldFaults.length === 0) return undefined;
  return { code: 'invalid-fields', message: `Gate ${spec.name}: ${fieldFaults.join('; ')}.` };
}
