import type { Paint } from '../io.ts';
import { renderEnding, renderStatus, type StatusView } from './status.ts';
import { clock, fit } from './text.ts';
import { plain } from '../io.ts';

/** What the terminal shows at one moment: no line is wider and no frame is higher than it, or redrawing would smear. */
export function frame(view: StatusView, now: number, paint: Paint, size: { columns: number; rows: number }): string {
  const lines = renderStatus(view, now, paint, Math.max(5, size.rows - 20)).split('\n');
  const open = view.run.status === 'running' || view.run.status === 'paused';
  const hint = open ? [paint('dim', 'Ctrl-C leaves this view; the procedure goes on.')] : [];
  const room = size.rows - 1 - hint.length;
  const shown =
    lines.length > room
      ? [...lines.slice(0, room - 1), paint('dim', `… ${lines.length - room + 1} more lines`)]
      : lines;
  return [...shown, ...hint].map((line) => fit(line, size.columns)).join('\n');
}

/** Puts a frame in the place of the one before, of so many lines. */
export function redraw(text: string, linesBefore: number): string {
  const up = linesBefore > 0 ? `\u001b[${linesBefore}A\r` : '';
  return `${up}\u001b[J${text}\n`;
}

/** Lines for what changed between two readings; everything at the first. */
export function changesSince(before: StatusView | undefined, view: StatusView): string[] {
  const { run, progress } = view;
  const known = before?.progress?.timeline ?? [];
  const last = known.at(-1);
  const timeline = progress?.timeline ?? [];
  const start = last ? timeline.findLastIndex(({ at, text }) => at === last.at && text === last.text) + 1 : 0;
  const awaiting = (progress?.awaiting ?? run.awaiting).join(', ');
  const awaitingBefore = before && (before.progress?.awaiting ?? before.run.awaiting).join(', ');
  return [
    ...(before ? [] : [`${run.id}: ${run.status}`]),
    ...timeline.slice(start).map(({ at, text }) => `${clock(at)} ${text}`),
    ...(!progress && run.phase && run.phase !== before?.run.phase ? [`phase: ${run.phase}`] : []),
    ...(awaiting !== (awaitingBefore ?? '') ? [awaiting ? `waits for ${awaiting}` : 'waits for nobody any more'] : []),
    ...(view.worker === 'no-worker' && before?.worker !== 'no-worker' ? ['no worker answers; waiting for one'] : []),
    ...(before?.worker === 'no-worker' && view.worker === 'answered' && !view.ending ? ['a worker answers again'] : []),
    ...(view.ending ? [`${run.id}: ${run.status}`, ...renderEnding(view.ending, plain)] : []),
  ];
}
