import type { Cluster } from '../../adapters/kubernetes/cluster.ts';
import { failure, isFailure } from '../../adapters/failure.ts';
import type { EvidenceInput, EvidenceRef } from '../../contracts/evidence.ts';
import { judgeJob } from '../../domain/release/job.ts';
import type { Job, Manifest, Pod } from '../../domain/release/objects.ts';
import { explainPod } from '../../domain/release/rollout.ts';
import { MARKS } from '../../domain/release/state.ts';
import type { ActionContext } from '../action.ts';
import { watch } from '../watch.ts';

const EVERY_MS = 500;
const LOG_BOUNDS = { lines: 5_000, bytes: 1024 * 1024 };

type Tools = Pick<ActionContext, 'heartbeat' | 'sleep' | 'objects' | 'now'>;

/** One Job of one step: its name is fixed, and its annotation `created-by` says whose it is. */
export interface JobOrder {
  namespace: string;
  name: string;
  createdBy: string;
  timeoutMs: number;
  /** Where its log goes when it does not succeed. */
  evidenceKey: string;
  /** Called before it is created, and only then: checks the fence, fills in what must be looked up. */
  manifest: () => Promise<Manifest>;
}

export interface JobEnd {
  outcome: 'succeeded' | 'failed' | 'timed-out';
  detail: string;
  log?: EvidenceRef;
}

/**
 * Runs a Job to its end; the log of one that fails or takes too long is kept. Look-before-repeat: the name is fixed and
 * the Job says whose it is, so a process that dies before the create left nothing, and after it the next attempt watches
 * the same Job. It is deleted by its own time to live; when it takes too long, its own deadline ends it.
 * @throws Interfered (a Job of that name is somebody else's, or vanished), Forbidden, and what `manifest` does
 */
export async function followJob(tools: Tools, cluster: Cluster, order: JobOrder): Promise<JobEnd> {
  const { namespace, name } = order;
  const { metadata } = await ensureJob(cluster, order);
  const verdict = await watch(tools, EVERY_MS, async () => {
    const now = await cluster.find('Job', namespace, name);
    if (now?.metadata.uid !== metadata.uid)
      throw failure('Interfered', `Job ${name} in namespace ${namespace} was deleted while it ran.`);
    return judgeJob(now, order.timeoutMs, tools.now());
  });
  if (verdict.outcome === 'succeeded') return verdict;
  const pods = await cluster.list('Pod', namespace, { labelSelector: `batch.kubernetes.io/job-name=${name}` });
  const why = pods.map((pod) => explainPod(pod, tools.now())?.detail).filter((each) => each !== undefined);
  const log = await keepLog(tools, cluster, pods, order);
  return { ...verdict, detail: [verdict.detail, ...why].join('; '), ...(log ? { log } : {}) };
}

async function ensureJob(cluster: Cluster, { namespace, name, createdBy, manifest }: JobOrder): Promise<Job> {
  const ours = (job: Job): Job => {
    if (job.metadata.annotations?.[MARKS.createdBy] === createdBy) return job;
    throw failure(
      'Interfered',
      `Job ${name} in namespace ${namespace} is somebody else's: delete or rename it, this procedure needs that name.`,
    );
  };
  const there = await cluster.find('Job', namespace, name);
  if (there) return ours(there);
  const created = await cluster.create('Job', namespace, await manifest());
  return created ?? ours(await cluster.read('Job', namespace, name));
}

/** A store that is away must not turn a failed Job into one that nobody hears of. */
async function keepLog(
  { heartbeat, objects }: Tools,
  cluster: Cluster,
  pods: Pod[],
  { namespace, evidenceKey: key }: JobOrder,
): Promise<EvidenceRef | undefined> {
  const logs: string[] = [];
  for (const { metadata, spec } of pods) {
    for (const container of spec?.containers ?? []) {
      heartbeat();
      const text = await cluster.log(namespace, metadata.name, container.name, LOG_BOUNDS);
      if (text) logs.push(pods.length > 1 ? `==> ${metadata.name}/${container.name}\n${text}` : text);
    }
  }
  if (logs.length === 0) return undefined;
  const log: EvidenceInput = { key, contentType: 'text/plain; charset=utf-8', body: logs.join('\n') };
  return objects.put(log).catch((error: unknown) => {
    if (isFailure(error, 'Unavailable', 'Forbidden', 'NotFound', 'Interfered')) return undefined;
    throw error;
  });
}
