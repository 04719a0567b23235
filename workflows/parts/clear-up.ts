import { sleep } from '@temporalio/workflow';
import type { ServiceSlice, Target } from '../../src/contracts/catalog.ts';
import { retireColor } from '../../src/contracts/retire-color.ts';
import { planLeftovers } from '../../src/domain/release/rollback-plan.ts';
import { cleanup, quick } from './activities.ts';
import type { Parts } from './carry-out.ts';
import { evidenceKey } from './color.ts';
import { startFollowUp } from './follow-up.ts';

/** The service after its traffic is back: `keep` serves. */
export interface ClearUp extends Pick<Parts, 'procedure' | 'undo'> {
  slice: ServiceSlice;
  target: Target;
  token: number;
  keep: string;
  requestedBy: string;
}

/** The bad release goes at once, with evidence, and its connections with it; a good one beside it is retired later. */
export async function clearUp({ procedure, undo, slice, target, token, keep, requestedBy }: ClearUp): Promise<void> {
  const insist = (name: string, run: (act: ReturnType<typeof cleanup>) => Promise<unknown>): Promise<void> =>
    undo.insist({ name, run: async () => void (await run(cleanup(name))) });

  await procedure.step('changing', 'Clear up what the bad release left');
  const live = await quick('Read the Service again').observeService({ target, spec: slice.spec });
  const { remove, retire, widen } = planLeftovers(live, keep);
  // Connections that are still on their way to the pods that go.
  if (remove.length > 0) await sleep(slice.spec.release.drain, { summary: 'open connections drain' });
  const preview = `${live.name}-preview`;
  await insist(`Remove preview Service ${preview}`, (act) => act.removePreview({ target, token, preview }));
  for (const { deployment, uid } of remove)
    await insist(`Keep evidence of ${deployment} and delete it`, async (act) => {
      await act.keepColorEvidence({ target, deployment, evidenceKey: evidenceKey(`${deployment}.json`) });
      await act.removeColor({ target, token, deployment, uid, unlessSelected: true });
    });
  if (widen)
    await insist('Give the Service its selector back', (act) => act.restoreSelector({ target, token, ...widen }));
  const { system, environment, service } = slice;
  const retireAt = new Date(Date.now() + slice.spec.release.retireAfter).toISOString();
  for (const { deployment, uid } of retire)
    await startFollowUp(retireColor, { system, environment, service, deployment, uid, retireAt, requestedBy });
}
