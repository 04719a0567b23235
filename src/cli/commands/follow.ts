import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { EXIT, isUnreachable, type ExitCode } from '../errors.ts';
import { changesSince, frame, redraw } from '../render/live.ts';
import type { StatusView } from '../render/status.ts';
import { readStatus } from '../server/read-status.ts';
import type { Session } from '../server/session.ts';

/** How often the live view asks. */
const INTERVAL_MS = 1000;
/** A reading that takes longer means that the server is away; a worker that is away takes two seconds. */
const SLOW_MS = 4000;

/**
 * Shows a procedure until it ends: redrawn in place on a terminal, else a line for each change, with `--json` an object
 * for each change. A server that restarts is waited for.
 */
export async function follow({ io, out }: Context, session: Session, id: string): Promise<ExitCode> {
  let before: StatusView | undefined;
  let drawn = 0;
  let away = false;
  const live = io.terminal !== undefined && !out.json;
  for (;;) {
    const slow = setTimeout(tellAway, SLOW_MS);
    const view = await readStatus(session, id)
      .catch((error: unknown) => {
        if (!isUnreachable(error) || !before) throw error;
        tellAway();
        return undefined;
      })
      .finally(() => clearTimeout(slow));
    if (view) {
      if (away) out.note(`${session.server} answers again.`);
      away = false;
      if (live) {
        const text = frame(view, Date.now(), out.paint, io.terminal!);
        io.out(redraw(text, drawn));
        drawn = text.split('\n').length;
      } else if (out.json) {
        if (JSON.stringify(view) !== JSON.stringify(before)) io.out(`${JSON.stringify(view)}\n`);
      } else changesSince(before, view).forEach((line) => io.out(`${line}\n`));
      before = view;
      if (view.run.status !== 'running' && view.run.status !== 'paused') return view.ending?.ok ? EXIT.ok : EXIT.failed;
    }
    await sleep(INTERVAL_MS);
  }

  function tellAway(): void {
    if (!away) out.note(`${session.server} does not answer; the procedure is kept there. Asking again …`);
    away = true;
    drawn = 0;
  }
}
