import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { orderSchema, type Order } from '../src/contracts/messages.ts';
import { retireColor as contract, type RetireColorResult } from '../src/contracts/retire-color.ts';
import { targetOf } from '../src/domain/release/target.ts';
import { servingDeployments } from '../src/domain/release/selectors.ts';
import { widening } from '../src/domain/release/rollback-plan.ts';
import { keepColor } from './messages.ts';
import { cleanup, quick, routed } from './parts/activities.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { parseInput } from './parts/input.ts';

/**
 * Deletes the color that stopped serving, at its time and not before. It holds no lease while it sleeps; then it reads
 * the selector and the UID again, because a rollback or another release may have happened meanwhile.
 */
export async function retireColor(raw: unknown): Promise<RetireColorResult> {
  const input = parseInput(contract, raw);
  const parts = prepare(contract.procedure, input, {
    scope: input.service,
    summary: `retire ${input.deployment}`,
    priority: 'maintenance',
  });
  const { procedure, lease } = parts;
  let kept: Order | undefined;
  setHandler(
    keepColor,
    (order) => {
      const parsed = orderSchema.safeParse(order);
      if (!parsed.success) return procedure.record('keepColor without effect: expected {"by": "<who>"}');
      kept ??= parsed.data;
      procedure.record(`${parsed.data.by} keeps ${input.deployment}`);
    },
    { description: 'Do not delete the color: {"by": "ana", "reason": "…"}' },
  );

  return carryOut(parts, async (): Promise<RetireColorResult> => {
    await procedure.step('sleeping', `${input.deployment} is kept until ${input.retireAt}`, 'delete it');
    const wait = Date.parse(input.retireAt) - Date.now();
    if (wait > 0) await condition(() => kept !== undefined, wait, { summary: `until ${input.deployment} may go` });
    if (kept)
      return {
        outcome: 'kept',
        message: `${input.deployment} is kept: ${kept.by}${kept.reason ? `, ${kept.reason}` : ''}.`,
      };

    await procedure.step('planning', 'Read what serves now');
    const slice = routed(await quick('Read the catalog').loadSlice(input));
    procedure.setChannels(slice.policies.deployRelease.notify);
    const target = targetOf(slice);
    const { token } = await lease.hold({ onBusy: 'queue', preempt: false });
    await quick('Claim the Service').claimTarget({ target, token });
    const live = await quick('Read the Service').observeService({ target, spec: slice.spec });
    const color = live.deployments.find(({ name, uid }) => name === input.deployment && uid === input.uid);
    if (!color) return { outcome: 'gone', message: `${input.deployment} (${input.uid}) is not there any more.` };
    if (servingDeployments(live).includes(color))
      return { outcome: 'in-service', message: `${input.deployment} serves again and stays.` };
    // Somebody may have answered while the lease was awaited.
    if (kept) return { outcome: 'kept', message: `${input.deployment} is kept.` };

    await procedure.step('changing', `Delete ${input.deployment}`);
    return await CancellationScope.nonCancellable(async () => {
      const removed = await cleanup(`Delete ${input.deployment}`).removeColor({
        target,
        token,
        deployment: input.deployment,
        uid: input.uid,
        unlessSelected: true,
      });
      const { widen } = widening(live);
      const othersLeft = live.deployments.some((each) => each.createdBy && each.uid !== input.uid);
      if (widen && !othersLeft) await cleanup('Widen the selector').restoreSelector({ target, token, ...widen });
      procedure.tell(`${input.deployment} of ${input.service} is retired. Going back to it now means redeploying it.`);
      return { outcome: 'retired', message: removed.message };
    });
  });
}
