import { queryPrometheus } from '../src/adapters/prometheus.ts';
import { isFailure } from '../src/adapters/failure.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { CatalogMetric, SmokeTest } from '../src/contracts/catalog.ts';
import { judgeHealthAnswer } from '../src/domain/health.ts';
import type { Measurement } from '../src/domain/release/analysis-types.ts';
import { fillQuery } from '../src/domain/release/query.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import type { CheckRequest, ReleaseActivities } from './release-types.ts';

/** What a service says of itself, and what is measured of it. These change nothing. */
export function createCheckActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'checkHealth' | 'runSmokeTests' | 'measure'> {
  return {
    /**
     * Asks a Service for its health, through the API server. An unhealthy answer is a report, not a failure.
     * @throws Forbidden, Unavailable, when it cannot even be asked
     */
    async checkHealth({ target, spec, via, expectedVersion }) {
      const cluster = await openTarget(kubernetes, target);
      const { checks, maxAge, path } = spec.health;
      const answer = await cluster.askService(target.namespace, via, spec.port, path);
      const expected = { checks, maxAge, ...(expectedVersion ? { expectedVersion } : {}) };
      return judgeHealthAnswer(`${via}${path}`, answer, Date.now(), expected);
    },

    /** Runs the smoke tests of the catalog at once. @returns one sentence per test that failed */
    async runSmokeTests(request) {
      const cluster = await openTarget(kubernetes, request.target);
      const tests = request.spec.release.smokeTests.map((test) => smoke(cluster, request, test));
      return { failures: (await Promise.all(tests)).filter((each) => each !== undefined) };
    },

    /** Takes one measurement of each metric. One that cannot be taken says why in its `error`, and fails nothing. */
    async measure({ slice, metrics, deployment, templateHash }) {
      const { prometheus, namespace, spec } = slice;
      const fill = { namespace, service: spec.kubernetesService, deployment, hash: templateHash };
      return Promise.all(spec[metrics].map((metric) => take(metric, prometheus, fill)));
    },
  };
}

async function smoke(
  cluster: Cluster,
  { target, spec, via }: CheckRequest,
  { path, status, contains }: SmokeTest,
): Promise<string | undefined> {
  const answer = await cluster.askService(target.namespace, via, spec.port, path);
  if (answer.unreachable) return `${path} does not answer: ${answer.unreachable}`;
  if (answer.status !== status) return `${path} answers HTTP ${answer.status}, expected ${status}`;
  if (contains !== undefined && !answer.text.includes(contains)) return `${path} does not contain "${contains}"`;
  return undefined;
}

async function take(
  { name: metric, query, samples }: CatalogMetric,
  prometheus: string | undefined,
  fill: Record<string, string>,
): Promise<Measurement> {
  if (!prometheus) return { metric, error: 'the environment names no Prometheus' };
  try {
    const [value, count] = await Promise.all([
      queryPrometheus(prometheus, fillQuery(query, fill)),
      samples && queryPrometheus(prometheus, fillQuery(samples.query, fill)),
    ]);
    return {
      metric,
      ...(value === undefined ? {} : { value }),
      ...(count === undefined ? {} : { samples: count }),
    };
  } catch (error) {
    if (isFailure(error, 'InvalidInput', 'Forbidden', 'Unavailable')) return { metric, error: error.message };
    throw error;
  }
}
