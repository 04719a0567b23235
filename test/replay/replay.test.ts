import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));
const WORKFLOWS = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: new DefaultLogger('ERROR') });
}, 120_000);

/** Recorded by `npm run histories`; one file a scenario, kept as long as a workflow of that code may still run. */
const recorded = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));
const historyOf = (file: string): unknown => JSON.parse(readFileSync(join(HISTORIES, file), 'utf8'));
interface Started {
  workflowType: { name: string };
  workflowId: string;
}
interface Scheduled {
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}
const startOf = (history: unknown): Started =>
  (history as { events: { workflowExecutionStartedEventAttributes?: Started }[] }).events[0]!
    .workflowExecutionStartedEventAttributes!;
const replay = (history: unknown): Promise<void> =>
  Worker.runReplayHistory({ workflowBundle }, history, startOf(history).workflowId);

describe("today's workflow code", () => {
  test.each(recorded.map((file) => [basename(file, '.json'), file]))('replays %s', async (_name, file) => {
    await replay(historyOf(file));
  });

  test('is replayed with at least one history of every procedure', () => {
    const exported = [...readFileSync(WORKFLOWS, 'utf8').matchAll(/export \{ (\w+) \}/g)].map(([, name]) => name);
    const replayed = new Set(recorded.map((file) => startOf(historyOf(file)).workflowType.name));
    expect(exported.filter((name) => !replayed.has(name!))).toEqual([]);
  });

  test('is replayed with a gate that people decided whom signed statements proved', async () => {
    const called = (history: unknown): string[] =>
      (history as { events: Scheduled[] }).events.flatMap(
        ({ activityTaskScheduledEventAttributes: of }) => of?.activityType.name ?? [],
      );
    const proved = recorded.filter((file) => called(historyOf(file)).includes('verifyStatement'));
    expect(proved).toEqual(['runbook-verified.json']);
  });

  test('is refused when it does other things than its history', async () => {
    const file = recorded.find((each) => startOf(historyOf(each)).workflowType.name === 'deployRelease')!;
    const changed = JSON.parse(JSON.stringify(historyOf(file)).replaceAll('"loadSlice"', '"readCatalog"')) as unknown;
    await expect(replay(changed)).rejects.toThrow(/TMPRL1100|[Nn]ondeterminis/);
  });
});
