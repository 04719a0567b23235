import type { AuditFact, AuditKind } from '../contracts/audit.ts';
import { digestOf } from './digest.ts';
import type { HistoryEvent } from './history.ts';
import { clean, fieldsOf, labelsOf, nameOf } from './labels.ts';
import { failureType, first, type Reading, type Told } from './reading.ts';

/** Messages that are no order of a person; whatever else is sent with `by` is one. */
const KINDS: Record<string, AuditKind> = {
  decide: 'decision',
  approve: 'decision',
  reject: 'decision',
  retract: 'decision',
  withdraw: 'decision',
  acquire: 'lease',
  leaseGranted: 'lease',
  release: 'lease',
  standDown: 'lease',
};

/** An Update with its typed answer. Those that a validator rejected are not in a history. */
export function readUpdate({ id, attributes }: HistoryEvent, { answers }: Reading): Told {
  const { input } = fieldsOf(attributes['acceptedRequest']);
  const { name, args } = fieldsOf(input);
  const payload = first(args);
  const { identity } = fieldsOf(fieldsOf(attributes['acceptedRequest'])['meta']);
  return told(nameOf(name) ?? 'unknown', payload, identity, answerOf(answers.get(id)));
}

/** A Signal. What it effected is not in a history: the workflow answers nobody. */
export function readSignal({ attributes }: HistoryEvent): Told {
  const name = nameOf(attributes['signalName']) ?? 'unknown';
  return told(name, first(attributes['input']), attributes['identity'], { outcome: 'received' });
}

function told(name: string, payload: unknown, identity: unknown, answer: Answer): Told {
  const { by, scope, decision, ...labels } = labelsOf(payload);
  const source = typeof identity === 'string' && identity !== '' ? clean(identity) : undefined;
  const decided = decision ?? (name !== 'decide' && KINDS[name] === 'decision' ? name : undefined);
  return {
    kind: KINDS[name] ?? (by === undefined ? 'message' : 'order'),
    what: name,
    who: senderOf(payload, { by, source, verified: isVerified(payload, answer) }),
    ...(source ? { source } : {}),
    ...(typeof scope === 'string' ? { target: scope } : {}),
    outcome: answer.outcome,
    labels: { ...labels, ...(decided === undefined ? {} : { decision: decided }), ...answer.labels },
    inputs: digestOf(payload),
  };
}

/** Answers to a decision whose statement nobody verified, or that has none. An answer that is missing proves nothing. */
const UNVERIFIED = [
  ...['identity-required', 'invalid-statement', 'statement-used', 'malformed', 'unknown-gate', 'rate-limited'],
  'unanswered',
];

/** The worker answers a decision with a statement in any other way only when the statement holds. */
const isVerified = (payload: unknown, { outcome, code }: Answer): boolean =>
  typeof fieldsOf(payload)['statement'] === 'string' && code === true && !UNVERIFIED.includes(outcome);

interface Sender {
  by: unknown;
  source: string | undefined;
  verified: boolean;
}

/** Who says it: a person by name, or a procedure on behalf of one. */
function senderOf(payload: unknown, { by, source, verified }: Sender): AuditFact['who'] {
  const holder = ['holder', 'by'].map((key) => labelsOf(fieldsOf(payload)[key])['requestedBy']);
  const name = [by, ...holder, source].find((each) => typeof each === 'string');
  return { name: typeof name === 'string' ? name : 'unknown', how: verified ? 'verified' : 'declared' };
}

interface Answer {
  outcome: string;
  /** The outcome is a code that the procedure answered with. */
  code?: boolean;
  labels?: AuditFact['labels'];
}

function answerOf(answer: Record<string, unknown> | undefined): Answer {
  if (!answer) return { outcome: 'unanswered' };
  if (answer['failure'] !== undefined) return { outcome: `failed: ${failureType(answer['failure'])}` };
  const result = first(answer['success']);
  const { code, status, accepted } = fieldsOf(result);
  const { token, sequence } = labelsOf(result);
  return {
    outcome: nameOf(code ?? status) ?? (accepted === true ? 'accepted' : accepted === false ? 'refused' : 'answered'),
    code: typeof code === 'string',
    labels: { ...(token === undefined ? {} : { token }), ...(sequence === undefined ? {} : { sequence }) },
  };
}
