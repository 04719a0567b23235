import { queryRunning, updateWithStart } from '../../adapters/temporal.ts';
import { changeControl, changeControlId, type StartedFreeze } from '../../contracts/change-control.ts';
import type { OrderResult } from '../../contracts/messages.ts';
import type { Place } from '../../contracts/scalars.ts';
import { CliError } from '../errors.ts';
import { printable } from '../../domain/printable.ts';
import { QUERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS, type Session } from './session.ts';

/** Freezes that people started; undefined when no worker answers. What has no change control has none. */
export async function askFreezes({ client }: Session, id: string): Promise<StartedFreeze[] | undefined> {
  try {
    const state = await queryRunning<{ freezes?: StartedFreeze[] }>(client, id, 'state', QUERY_TIMEOUT_MS);
    return printable(state?.freezes ?? []);
  } catch {
    return undefined;
  }
}

/**
 * Orders something of the change control of an environment, which is started when nobody has asked it before.
 * @throws CliError `refused`, `no-worker`
 */
export async function orderChangeControl(
  { client, taskQueue }: Session,
  at: Place,
  update: string,
  order: object,
): Promise<OrderResult> {
  const result = await updateWithStart<OrderResult>(client, {
    ...{ workflowType: changeControl.procedure, workflowId: changeControlId(at), taskQueue, input: at },
    ...{ update, updateId: crypto.randomUUID(), argument: order, timeoutMs: REQUEST_TIMEOUT_MS },
  }).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    throw new CliError('no-worker', printable(error.message), 'It may still take effect when a worker starts.');
  });
  if (!result.accepted) throw new CliError('refused', printable(result.message));
  return printable(result);
}
