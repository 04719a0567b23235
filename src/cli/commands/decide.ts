import type { Decision, GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { chooseGate } from '../gate-choice.ts';
import { renderDecisionRequest } from '../render/decision.ts';
import { rolesOf } from '../roles.ts';
import { askGates, askProgress, decide as sendDecision, signal } from '../server/messages.ts';
import { describeOpenRun } from '../server/runs.ts';
import type { Session } from '../server/session.ts';
import { checkMessage } from '../start-input.ts';

export interface DecideFlags {
  reason?: string;
  /** The code the person was shown elsewhere; without it, the one shown here. */
  code?: string;
  yes?: boolean;
  signal?: boolean;
}

/** `approve` and `reject`: shows what is decided, sends the decision bound to exactly that, and tells the answer. */
export function decide(
  context: Context,
  decision: Decision['decision'],
  id: string,
  named: string | undefined,
  flags: DecideFlags,
): Promise<ExitCode> {
  const { out, me } = context;
  return context.withSession(async (session) => {
    if (flags.signal) return decideBySignal(context, session, decision, id, named, flags);
    const { system } = await describeOpenRun(session, id);
    const [progress, gates] = await Promise.all([askProgress(session, id), askGates(session, id)]);
    if (!gates.answered) throw unanswered(gates.why, id, decision);
    const gate = chooseGate(gates.value, named, me, await rolesOf(me, system ? [system] : [], context.io.env));
    await confirm(context, decision, gate, progress.answered ? progress.value : undefined, flags);
    const payload = await toPayload(decision, me, gate.name, flags.code ?? gate.code, flags.reason);
    const answer = await sendDecision(session, id, payload);
    if (answer.code !== 'recorded')
      throw new CliError(
        'refused',
        `Not counted (${answer.code}): ${answer.message}`,
        `See the gates: windlass status ${id}`,
      );
    out.result({ id, ...answer }, () => `${answer.message}\nSee what comes of it: windlass status ${id} --follow`);
    return EXIT.ok;
  });
}

/** Shows what is decided; asks at a terminal, unless the person brought the code from where they read it, or `--yes`. */
async function confirm(
  { out, io }: Context,
  decision: Decision['decision'],
  gate: GateView,
  progress: ProgressView | undefined,
  { code, yes }: DecideFlags,
): Promise<void> {
  if (!out.json) io.out(`${renderDecisionRequest(gate, progress, Date.now(), out.paint)}\n`);
  if (yes || code !== undefined || out.json || !io.ask) return;
  const reply = await io.ask(`${decision === 'approve' ? 'Approve' : 'Reject'} gate ${gate.name}? [y/N] `);
  if (!/^y(es)?$/i.test(reply.trim())) throw new CliError('refused', 'Nothing was sent.');
}

/** Without a worker nobody can show what is decided: gate and code come from a notice or another screen. */
async function decideBySignal(
  { out, me }: Context,
  session: Session,
  decision: Decision['decision'],
  id: string,
  gate: string | undefined,
  { code, reason }: DecideFlags,
): Promise<ExitCode> {
  if (gate === undefined || code === undefined)
    throw new CliError(
      'usage',
      'A decision by signal names the gate and its code.',
      `windlass ${decision} ${id} GATE --signal --code CODE`,
    );
  const { decision: _, ...payload } = await toPayload(decision, me, gate, code, reason);
  await describeOpenRun(session, id);
  await signal(session, id, decision, payload);
  out.result(
    { id, sent: decision, ...payload },
    () =>
      `Sent to ${id}. A signal brings no answer: it counts once a worker takes it, if gate, code and role are right.\nSee it: windlass status ${id}`,
  );
  return EXIT.ok;
}

async function toPayload(
  decision: Decision['decision'],
  by: string,
  gate: string,
  code: string,
  reason?: string,
): Promise<Decision> {
  const { decisionSchema } = await import('../../contracts/gates.ts');
  return checkMessage(decisionSchema, decision, { gate, decision, by, code, ...(reason ? { reason } : {}) });
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
