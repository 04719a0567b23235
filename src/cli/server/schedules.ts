import { ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { keyIdOf } from '../../adapters/temporal/payload-codec.ts';
import { SCHEDULE_PREFIXES, type WantedSchedule } from '../../catalog/schedules.ts';

/** What is to be done to make the server's Schedules those of the catalog. */
export interface ScheduleStep {
  verb: 'create' | 'update' | 'keep' | 'delete';
  id: string;
  summary: string;
}

/**
 * Compares the Schedules of some systems with the catalog. Nothing is touched.
 * @param systems only Schedules of these may be deleted
 */
export async function compareSchedules(
  client: Client,
  wanted: WantedSchedule[],
  systems: string[],
): Promise<ScheduleStep[]> {
  const steps: ScheduleStep[] = [];
  const key = await keyOf(client);
  for (const { id, digest, summary } of wanted)
    steps.push({ verb: verbFor({ digest, key }, await find(client, id)), id, summary });
  const ours = systems.flatMap((system) => SCHEDULE_PREFIXES.map((prefix) => `${prefix}${system}/`));
  const known = new Set(wanted.map(({ id }) => id));
  for await (const { scheduleId: id } of client.schedule.list())
    if (!known.has(id) && ours.some((prefix) => id.startsWith(prefix)))
      steps.push({ verb: 'delete', id, summary: 'nothing of the catalog' });
  return steps;
}

/** Carries out what `compareSchedules` found. Each step may be repeated; one that is paused stays paused. */
export async function applySchedules(
  client: Client,
  taskQueue: string,
  wanted: WantedSchedule[],
  steps: ScheduleStep[],
): Promise<void> {
  for (const { verb, id } of steps) {
    if (verb === 'keep') continue;
    if (verb === 'delete') {
      await client.schedule.getHandle(id).delete();
      continue;
    }
    const options = optionsOf(
      wanted.find((each) => each.id === id)!,
      taskQueue,
    );
    if (verb === 'create') await client.schedule.create(options);
    else await client.schedule.getHandle(id).update(({ state }) => ({ ...options, state }));
  }
}

/** A Schedule that fires while its last run still goes on starts when that ended: it looks by itself whether it is late. */
function optionsOf(wanted: WantedSchedule, taskQueue: string): ScheduleOptions {
  const { id, procedure, input, when, catchUpMs, summary, digest } = wanted;
  return {
    scheduleId: id,
    spec:
      'everyMs' in when
        ? { intervals: [{ every: when.everyMs }] }
        : { timezone: when.zone, calendars: [{ ...when.calendar, comment: summary }] },
    policies: {
      // One that comes again soon need not be made up for.
      overlap: 'everyMs' in when ? ScheduleOverlapPolicy.SKIP : ScheduleOverlapPolicy.BUFFER_ONE,
      catchupWindow: catchUpMs,
    },
    action: {
      type: 'startWorkflow',
      workflowType: procedure,
      workflowId: id,
      taskQueue,
      args: [input],
      memo: { summary, requestedBy: input.requestedBy, digest },
      staticSummary: summary.slice(0, 200),
    },
  };
}

/** What a Schedule starts, and what its input is encrypted with: a key that was rotated must not stay in use. */
interface Kept {
  /** Empty when it is another one's. */
  digest: string;
  /** Id of the key; empty for plain text. */
  key: string;
}

function verbFor(wanted: Kept, found: Kept | undefined): ScheduleStep['verb'] {
  if (found === undefined) return 'create';
  return found.digest === wanted.digest && found.key === wanted.key ? 'keep' : 'update';
}

/** Undefined when there is no such Schedule. */
async function find(client: Client, id: string): Promise<Kept | undefined> {
  try {
    const { action, raw } = await client.schedule.getHandle(id).describe();
    const digest: unknown = action.memo?.['digest'];
    const input = raw.schedule?.action?.startWorkflow?.input?.payloads?.[0];
    return { digest: typeof digest === 'string' ? digest : '', key: input ? keyIdOf(input) : '' };
  } catch (error) {
    if (error instanceof Error && error.name === 'ScheduleNotFoundError') return undefined;
    throw error;
  }
}

/** Id of the key that this client encrypts with; empty when it does not. */
async function keyOf({ options }: Client): Promise<string> {
  let payloads: Payload[] = [{}];
  for (const codec of options.loadedDataConverter.payloadCodecs) payloads = await codec.encode(payloads);
  return keyIdOf(payloads[0]!);
}
