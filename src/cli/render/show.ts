import type { GateView } from '../../contracts/gates.ts';
import { plain, type Paint } from '../io.ts';
import type { RunView } from '../server/runs.ts';
import { describeMessage, type Story } from '../server/history.ts';
import { isReleasePlan, renderPlan } from './plan.ts';
import { paintStatus, renderEnding, renderGate, renderTimeline } from './status.ts';
import { clock, field, indent } from './text.ts';

/** Everything that is known of one procedure. */
export interface ShowView {
  run: RunView;
  story: Story;
  /** Only when a worker answered; the story tells the decisions in any case. */
  gates?: GateView[];
  link?: string;
}

export function renderShow({ run, story, gates, link }: ShowView, now: number, paint: Paint = plain): string {
  const title = (text: string): string[] => ['', paint('bold', text)];
  return [
    `${paint('bold', run.id)}  ${paintStatus(run.status, paint)}`,
    field('procedure', run.procedure),
    field('run', run.runId),
    field('started', `${run.startedAt}${run.requestedBy ? ` by ${run.requestedBy}` : ''}`),
    ...(run.breakGlass ? [field('emergency', paint('red', run.breakGlass))] : []),
    ...(run.closedAt ? [field('ended', run.closedAt)] : []),
    ...renderEnding(story.ending, paint),
    ...title('Input'),
    indent(JSON.stringify(story.input, undefined, 2) ?? 'none'),
    ...(isReleasePlan(story.plan) ? [...title('Plan'), indent(renderPlan(story.plan, paint))] : []),
    ...(gates && gates.length > 0 ? [...title('Gates'), ...gates.flatMap((gate) => renderGate(gate, run.id, now, paint))] : []), // prettier-ignore
    ...(story.messages.length > 0 ? title('Decisions and orders') : []),
    ...story.messages.map((message) => `  ${clock(message.at)}  ${describeMessage(message)}`),
    ...title('Timeline'),
    ...renderTimeline(story.timeline, Infinity),
    ...(run.escape ? ['', 'back by hand:', `  ${run.escape}`] : []),
    ...(link ? ['', field('look', link)] : []),
  ].join('\n');
}
