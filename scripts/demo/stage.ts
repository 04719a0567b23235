import { exclusively } from '../sandbox/lock.ts';
import { auditEnvironment } from '../sandbox/audit-database.ts';
import type { Endpoints } from '../sandbox/endpoints.ts';
import { healthy } from '../sandbox/status.ts';
import { tearDown } from '../sandbox/teardown.ts';
import { up } from '../sandbox/up.ts';
import { startWorker, type WorkerProcess, type WorkerProcessOptions } from '../worker-process.ts';
import { showAudit } from './audit.ts';
import type { Narrator } from './narrator.ts';
import { createOperator, isClosed, type Operator } from './operator.ts';
import { endFormerDemo, freshShop } from './shop.ts';

const TASK_QUEUE = 'windlass';

export interface DemoOptions {
  unattended: boolean;
  /** Takes the sandbox down at the end, also one that was up before. */
  down: boolean;
}

/** When the worker was killed, and for how long none was there. */
export interface WorkerKilled {
  during: string;
  downMs: number;
}

/** A sandbox with a fresh shop, a worker, and people who work with it. */
export interface Stage {
  endpoints: Endpoints;
  /** Of the shop's Service. */
  url: string;
  operator: Operator;
  /** Kills the worker once the procedure is at a step, or in a phase, and starts another. */
  killWorkerDuring: (id: string, at: { phase?: string; step?: RegExp }) => Promise<WorkerKilled>;
}

/** What the worker of a demo has besides the usual. */
export type WorkerExtras = Pick<WorkerProcessOptions, 'overlays'> & { takesAlerts?: true };

/** Sets the stage of a demo, lets it play, and clears up. */
export async function onStage<T>(
  tell: Narrator,
  options: DemoOptions,
  play: (stage: Stage) => Promise<T>,
  { takesAlerts, ...extras }: WorkerExtras = {},
): Promise<T> {
  tell.chapter('The sandbox: a real Kubernetes node, Temporal, Prometheus, PostgreSQL, S3');
  const wasUp = (await healthy()) !== undefined;
  const endpoints = await up();
  await endFormerDemo(endpoints);
  const url = await freshShop(endpoints);
  const alerts = takesAlerts ? { WINDLASS_ALERTS_TOKEN: `file:${endpoints.alertmanager.intake.tokenFile}` } : {};
  // The demo exports at its end; a Schedule would go on after it.
  const env = { ...(await auditEnvironment(endpoints)), WINDLASS_AUDIT_EVERY: 'off', ...alerts };
  const start = (): Promise<WorkerProcess> => startWorker({ endpoints, taskQueue: TASK_QUEUE, ...extras, env });
  let worker = await start();
  const operator = createOperator(tell, options.unattended, endpoints);
  tell.say(`watch: ${endpoints.temporal.ui}   and: npx windlass status`);
  try {
    const played = await play({ endpoints, url, operator, killWorkerDuring });
    await showAudit(tell);
    return played;
  } finally {
    await worker.stop();
    if (options.down || (options.unattended && !wasUp)) await exclusively(tearDown);
    else {
      tell.say(`look at: ${endpoints.temporal.ui}   npx windlass list   npx windlass show <id>`);
      tell.say('the sandbox stays up; take it down with: npm run sandbox -- down');
    }
  }

  async function killWorkerDuring(id: string, { phase, step }: { phase?: string; step?: RegExp }) {
    const status = await operator.until(
      id,
      (now) => now.run.phase === phase || (step?.test(now.progress?.step ?? '') ?? false) || isClosed(now),
    );
    const at = Date.now();
    await worker.kill('SIGKILL');
    tell.say('  (the worker is killed with SIGKILL)');
    worker = await start();
    tell.say('  (a new worker goes on where it was)');
    return { during: isClosed(status) ? '' : (phase ?? status.progress?.step ?? ''), downMs: Date.now() - at };
  }
}
