import { setTimeout as delay } from 'node:timers/promises';
import type { Load } from '../load/load-generator.ts';
import { startLoadProcess } from '../load/load-process.ts';
import type { Narrator } from './narrator.ts';
import { judgeDemo, type DemoReport, type ReleaseReport } from './report.ts';
import { onStage, type DemoOptions, type Stage } from './stage.ts';

const REQUESTS_PER_SECOND = 100;

/** What the demo promises of each release. */
const EXPECTED = [
  { version: 'v2', outcome: 'released' },
  { version: 'v3', outcome: 'failed' },
  { version: 'v4', outcome: 'failed' },
] as const;

/** Carries three releases out under load, and says whether all went as promised. */
export async function showReleases(tell: Narrator, options: DemoOptions): Promise<DemoReport> {
  const startedAt = Date.now();
  return onStage(tell, options, async (stage) => {
    const load = await startLoadProcess({ url: stage.url, requestsPerSecond: REQUESTS_PER_SECOND });
    tell.say(`shop v1 serves ${REQUESTS_PER_SECOND} requests/s, half of them on new connections`);
    try {
      await prometheusHasSeen(stage.endpoints.prometheus.url);
      tell.chapter('v2, a good release. The worker is killed in the middle of it.');
      let workerKilled: DemoReport['workerKilled'] = { during: '', downMs: 0 };
      const v2 = await release(tell, stage, 'v2', async (id) => {
        workerKilled = await stage.killWorkerDuring(id, { phase: 'soaking' });
      });
      tell.chapter('v3 fails its smoke test: it never gets a request.');
      const v3 = await release(tell, stage, 'v3');
      tell.chapter('v4 passes every test and fails under load: its metrics send it back.');
      const v4 = await release(tell, stage, 'v4');
      await delay(5000);
      const figures = await load.stop();
      const releases = [v2, v3, v4].map((each) => withTraffic(each, figures));
      const judged = judgeDemo(figures, releases, [...EXPECTED]);
      const report = { ...judged, durationMs: Date.now() - startedAt, workerKilled, releases };
      summarize(tell, report);
      return report;
    } finally {
      await load.stop().catch(() => undefined);
    }
  });
}

async function release(
  tell: Narrator,
  { operator }: Stage,
  version: string,
  meanwhile?: (id: string) => Promise<void>,
): Promise<ReleaseReport> {
  const image = `docker.io/windlass/sample:${version}`;
  const { ok, failure, startedAt, endedAt, tookMs } = await operator.carryOut(
    ['deploy', 'sandbox', 'local', 'shop', image],
    {
      gate: { name: 'engineering-lead', waitsFor: 'an engineering lead; checks go on meanwhile' },
      ...(meanwhile ? { meanwhile } : {}),
    },
  );
  const outcome = ok ? 'released' : 'failed';
  tell.say(`${version}: ${outcome}${failure ? `: ${failure}` : ''}`);
  return {
    version,
    outcome,
    ...(failure ? { failure } : {}),
    ...{ startedAt, endedAt, tookMs },
    requests: 0,
    failed: 0,
  };
}

function summarize(tell: Narrator, report: DemoReport): void {
  tell.conclude(report.broken);
  tell.say(`${report.requests} requests; failures: ${JSON.stringify(report.failuresByVersionAndKind)}`);
  for (const each of report.releases)
    tell.say(
      `${each.version}: ${each.outcome} in ${Math.round(each.tookMs / 1000)} s, ${each.requests} requests, ${each.failed} failed` +
        (each.rollbackMs === undefined
          ? ''
          : `, traffic was back ${(each.rollbackMs / 1000).toFixed(1)} s after its first failure`),
    );
}

/** A release that failed under traffic is back when its last answer on a new connection came. */
function withTraffic(release: ReleaseReport, figures: Awaited<ReturnType<Load['stop']>>): ReleaseReport {
  const served = figures.versions[release.version];
  const firstFailure = figures.failures.find(({ version }) => version === release.version)?.firstAt;
  const lastNew = served?.connections.new?.lastAt;
  return {
    ...release,
    requests: served?.requests ?? 0,
    failed: served?.failed ?? 0,
    ...(firstFailure !== undefined && lastNew !== undefined ? { rollbackMs: lastNew - firstFailure } : {}),
  };
}

/** Service levels can be judged once Prometheus has scraped the pods a few times. */
async function prometheusHasSeen(prometheus: string): Promise<void> {
  const query = 'count(rate(http_requests_total{namespace="shop"}[10s]))';
  for (;;) {
    const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => undefined);
    const body = (await answer?.json().catch(() => undefined)) as { data?: { result?: unknown[] } } | undefined;
    if ((body?.data?.result?.length ?? 0) > 0) return;
    await delay(500);
  }
}
