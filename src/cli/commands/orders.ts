import type { RESCUE_VERBS } from '../../contracts/messages.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { rescue as sendRescue, signal } from '../server/messages.ts';
import { fetchEnding } from '../server/read-history.ts';
import { describeOpenRun, describeRun } from '../server/runs.ts';
import { checkMessage } from '../start-input.ts';

type OrderName = 'hold' | 'resume' | 'abort' | 'keepColor';

const SAID: Record<OrderName, string> = {
  hold: 'It pauses before its next step (never while it brings traffic back).',
  resume: 'It goes on.',
  abort: 'It stops and takes back what it did, traffic first.',
  keepColor: 'The color stays.',
};

/** `hold`, `resume`, `abort`, `keep-color`: a signal, which the server keeps until a worker takes it. */
export function order(
  { out, me, withSession }: Context,
  name: OrderName,
  id: string,
  reason: string | undefined,
): Promise<ExitCode> {
  return withSession(async (session) => {
    const { orderSchema } = await import('../../contracts/messages.ts');
    const payload = checkMessage(orderSchema, name, { by: me, ...(reason ? { reason } : {}) });
    if (name === 'keepColor') await refuseOtherThanRetirement();
    await describeOpenRun(session, id);
    await signal(session, id, name, payload);
    out.result(
      { id, sent: name, ...payload },
      () => `Sent to ${id}: ${name} by ${me}. ${SAID[name]}\nSee it: windlass status ${id}`,
    );
    return EXIT.ok;

    /** People have the id of the release at hand, not that of the retirement it started. */
    async function refuseOtherThanRetirement(): Promise<void> {
      const { run } = await describeRun(session, id);
      if (run.procedure === 'retireColor') return;
      const ending = run.status === 'completed' ? await fetchEnding(session, id, run.runId) : undefined;
      const previous = ending?.ok
        ? (ending.result as { previous?: { retireWorkflowId?: string } }).previous
        : undefined;
      throw new CliError(
        'refused',
        `${id} is a ${run.procedure}, and only a retirement (retire/…) can be told to keep its color.`,
        previous?.retireWorkflowId
          ? `The retirement it started: windlass keep-color ${previous.retireWorkflowId}`
          : 'Find it: windlass list --procedure retireColor',
      );
    }
  });
}

/** `rescue ID VERB`: decides a step that is stuck. */
export function rescue(
  { out, me, withSession }: Context,
  id: string,
  { verb, reason, step }: { verb: (typeof RESCUE_VERBS)[number]; reason: string; step?: string | undefined },
): Promise<ExitCode> {
  return withSession(async (session) => {
    const { rescueSchema } = await import('../../contracts/messages.ts');
    const payload = checkMessage(rescueSchema, 'rescue', {
      verb,
      by: me,
      reason,
      ...(step === undefined ? {} : { step }),
    });
    await describeOpenRun(session, id);
    const { accepted, message } = await sendRescue(session, id, payload);
    if (!accepted) throw new CliError('refused', message, `See its state: windlass status ${id}`);
    out.result({ id, accepted, message }, () => `${message}\nSee what comes of it: windlass status ${id} --follow`);
    return EXIT.ok;
  });
}
