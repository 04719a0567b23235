import { z } from 'zod';
import { actionCall } from './runbook.ts';
import { duration, name } from './scalars.ts';

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** A time of the day on the wall of a zone. */
export const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as 02:00');

/** When a window opens, in the wall time of its zone. */
export const opens = z.strictObject({
  weekday: z.enum(WEEKDAYS),
  week: z.int().min(1).max(4).optional().describe('Only the first, second… such weekday of a month; default: each'),
  at: wallTime,
});

/** A runbook that a window carries out; an item for a person is a runbook with a confirmation. */
const task = z.strictObject({
  runbook: name,
  with: z
    .record(z.string().max(64), z.union([z.string().max(2000), z.number(), z.boolean()]))
    .default({})
    .describe('Parameters, as the runbook declares them'),
});

/** A recurring time in which a service may be worked on. */
export const maintenance = z.strictObject({
  description: z.string().min(1).max(300),
  environments: z.array(name).min(1),
  service: name.describe('Service that is worked on; the window holds its lease'),
  zone: z.string().describe('Time zone of the IANA database, such as America/New_York'),
  opens,
  duration: duration.describe('From the opening to the end'),
  cutoff: duration.prefault('15m').describe('So long before the end the last task may begin'),
  notice: duration.prefault('30m').describe('So long before the opening people are told'),
  escalateAfter: duration.prefault('60m').describe('So long after the end they are told again, louder'),
  mode: z
    .strictObject({ on: actionCall, off: actionCall })
    .optional()
    .describe('Maintenance mode: how it is put on before the tasks, and taken off however they end'),
  backups: z.array(name).default([]).describe('Databases that are backed up before anything changes'),
  verifies: z
    .array(name)
    .default([])
    .describe(
      'Databases whose newest backup is then restored to scratch and compared; old ones expire when it is good',
    ),
  before: z.array(task).default([]).describe('The checklist before: nothing is changed unless it passes'),
  tasks: z.array(task).min(1),
  after: z.array(task).default([]).describe('The checklist after, when maintenance mode is off again'),
  includes: z
    .array(name)
    .default([])
    .describe('Windows whose tasks this one does too when they would open while it is open; they stay closed then'),
  notify: z.array(name).default([]).describe('Channels'),
});

export type CatalogWindow = z.output<typeof maintenance>;
export type WindowTask = z.output<typeof task>;
/** What of a window says when it is. */
export type WindowTimes = Pick<CatalogWindow, 'zone' | 'opens' | 'duration' | 'cutoff'>;

/** One occurrence of a window; milliseconds since the epoch. */
export interface Opening {
  /** Local date of the opening, `2026-11-29`: each has at most one. */
  date: string;
  opensAt: number;
  /** No task begins later. */
  lastStartAt: number;
  closesAt: number;
}
