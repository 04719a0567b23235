import type { Decision, DecisionResult, GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { SHORTEST_BREAK_GLASS_REASON } from '../../domain/gate-rights.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { chooseGate } from '../gate-choice.ts';
import { renderDecisionRequest } from '../render/decision.ts';
import { rolesOf } from '../roles.ts';
import { askProgress, decide as sendDecision, demandGates, signal } from '../server/messages.ts';
import { decideVerified } from '../server/verified.ts';
import { describeOpenRun } from '../server/runs.ts';
import type { Session } from '../server/session.ts';
import { checkMessage } from '../start-input.ts';

export interface DecideFlags {
  reason?: string;
  /** The same as `reason`, in the words of who approves. */
  comment?: string;
  /** `name=value` of the gate's form. */
  field?: string[];
  /** Pass the gate alone. */
  breakGlass?: boolean;
  /** The code the person was shown elsewhere; without it, the one shown here. */
  code?: string;
  yes?: boolean;
  signal?: boolean;
}

type Verb = Decision['decision'];
/** What a person says beside who, which gate and which code. */
type Said = Pick<Decision, 'decision' | 'reason' | 'fields' | 'breakGlass'>;

/**
 * `approve`, `reject`, `retract` and `withdraw`: shows what is decided, sends the decision bound to exactly that, and
 * tells the answer.
 */
export async function decide(
  context: Context,
  decision: Verb,
  id: string,
  named: string | undefined,
  flags: DecideFlags,
): Promise<ExitCode> {
  const { out, me } = context;
  const said = toSaid(decision, flags);
  return context.withSession(async (session) => {
    if (flags.signal) return decideBySignal(context, session, said, id, named, flags.code);
    const { system, runId } = await describeOpenRun(session, id);
    const [progress, gates] = await Promise.all([askProgress(session, id), demandGates(session, id)]);
    if (!gates.answered) throw unanswered(gates.why, id, decision);
    const roles = await rolesOf(me, system ? [system] : [], context.io.env);
    const gate = chooseGate(gates.value, named, me, roles, said);
    await confirm(context, said, gate, progress.answered ? progress.value : undefined, flags);
    const payload = await toPayload(said, me, gate.name, flags.code ?? gate.code);
    const answer =
      gate.identity === 'verified'
        ? await decideVerified(context.io.env, { workflowId: id, runId }, payload)
        : await sendDecision(session, id, payload);
    if (answer.code !== 'recorded')
      throw new CliError('refused', `Not counted (${answer.code}): ${answer.message}`, whatNext(answer, id, gate));
    out.result({ id, ...answer }, () => `${answer.message}\nSee what comes of it: windlass status ${id} --follow`);
    return EXIT.ok;
  });
}

/** Faults of the command line, before anything is looked at. @throws CliError `usage` */
function toSaid(decision: Verb, { reason, comment, field = [], breakGlass }: DecideFlags): Said {
  if (reason !== undefined && comment !== undefined)
    throw new CliError('usage', '--reason and --comment are the same: give one of them.');
  const why = reason ?? comment;
  if (breakGlass && (why ?? '').trim().length < SHORTEST_BREAK_GLASS_REASON)
    throw new CliError(
      'usage',
      `Breaking the glass needs --reason with at least ${SHORTEST_BREAK_GLASS_REASON} characters: people are told it at once, and it is reviewed.`,
    );
  const fields = field.map((each) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(each) ?? [];
    if (name === undefined || value === undefined)
      throw new CliError('usage', `--field ${each}: expected NAME=VALUE, such as --field ticket=C-4711.`);
    return [name, value] as const;
  });
  return {
    decision,
    ...(why === undefined ? {} : { reason: why }),
    ...(fields.length > 0 ? { fields: Object.fromEntries(fields) } : {}),
    ...(breakGlass ? { breakGlass } : {}),
  };
}

/** The next command of somebody whose decision did not count. */
function whatNext({ code }: DecisionResult, id: string, { name, form }: GateView): string {
  if (code === 'comment-required') return `windlass approve ${id} ${name} --comment "…"`;
  if (code === 'invalid-fields' && form)
    return `windlass approve ${id} ${name} ${form.required.map((each) => `--field ${each}=…`).join(' ')}`.trimEnd();
  return `See the gates: windlass status ${id}`;
}

const QUESTIONS: Record<Verb, (gate: string) => string> = {
  approve: (gate) => `Approve gate ${gate}?`,
  reject: (gate) => `Reject gate ${gate}?`,
  retract: (gate) => `Take your approval of gate ${gate} back?`,
  withdraw: (gate) => `Withdraw what you asked for, at gate ${gate}? The procedure ends.`,
};

/**
 * Shows what is decided; asks at a terminal, unless the person brought the code from where they read it, or `--yes`.
 * Who breaks the glass is always asked, but for `--yes`.
 */
async function confirm(
  { out, io }: Context,
  { decision, breakGlass }: Said,
  gate: GateView,
  progress: ProgressView | undefined,
  { code, yes }: DecideFlags,
): Promise<void> {
  if (!out.json) io.out(`${renderDecisionRequest(gate, progress, Date.now(), out.paint)}\n`);
  if (yes || (code !== undefined && !breakGlass) || out.json || !io.ask) return;
  const question = breakGlass
    ? `Pass gate ${gate.name} ALONE? People are told at once, and somebody else reviews it.`
    : QUESTIONS[decision](gate.name);
  const reply = await io.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(reply.trim())) throw new CliError('refused', 'Nothing was sent.');
}

/** Without a worker nobody can show what is decided: gate and code come from a notice or another screen. */
async function decideBySignal(
  { out, me }: Context,
  session: Session,
  said: Said,
  id: string,
  gate: string | undefined,
  code: string | undefined,
): Promise<ExitCode> {
  const { decision } = said;
  if (gate === undefined || code === undefined)
    throw new CliError(
      'usage',
      'A decision by signal names the gate and its code.',
      `windlass ${decision} ${id} GATE --signal --code CODE`,
    );
  const { decision: _, ...payload } = await toPayload(said, me, gate, code);
  await describeOpenRun(session, id);
  await signal(session, id, decision, payload);
  out.result(
    { id, sent: decision, ...payload },
    () =>
      `Sent to ${id}. A signal brings no answer: it counts once a worker takes it, if gate, code and role are right.\nSee it: windlass status ${id}`,
  );
  return EXIT.ok;
}

async function toPayload({ decision, ...said }: Said, by: string, gate: string, code: string): Promise<Decision> {
  const { decisionSchema } = await import('../../contracts/gates.ts');
  return checkMessage(decisionSchema, decision, { gate, decision, by, code, ...said });
}

function unanswered(why: 'no-worker' | 'not-understood', id: string, decision: string): CliError {
  return why === 'not-understood'
    ? new CliError('refused', `${id} has no gates.`)
    : new CliError(
        'no-worker',
        'No worker answers, and only a worker can show and take a decision.',
        `Start one; or leave a signal, which is kept until then: windlass ${decision} ${id} GATE --signal --code CODE`,
      );
}
