import { condition, defineQuery, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

/** Opens a gate when `look` has ended, and does `act` when it is approved; a procedure in the small. */
export async function opensAGate(elsewhere: string): Promise<boolean> {
  const { look, act } = proxyActivities<{ look(): Promise<void>; act(): Promise<void> }>({
    taskQueue: elsewhere,
    startToCloseTimeout: '1 minute',
  });
  let open = false;
  let approved = false;
  setHandler(defineQuery('open'), () => open);
  setHandler(defineSignal('approve'), () => void (approved ||= open));
  await look();
  open = true;
  const decided = await condition(() => approved, '30 s');
  if (decided) await act();
  return decided;
}
