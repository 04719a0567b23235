import type { CatalogJob } from '../../contracts/catalog.ts';
import type { Job, Manifest } from './objects.ts';
import { MARKS } from './state.ts';

export interface JobOrder {
  name: string;
  job: CatalogJob;
  /** PersistentVolumeClaims of its namespace, by the path at which its command finds them. */
  claims?: Record<string, string>;
  /** Values of `${…}` in the image and the command. */
  fill: Record<string, string | number>;
  /** Absent when no lease stands behind it. */
  token?: number;
  createdBy: string;
}

/** The Job itself ends a while after we stop waiting, so that its log can still be read. */
const GRACE_S = 30;
/** Long enough for a worker that comes back late to find out how the Job ended. */
const KEPT_S = 3600;

/** A Job that runs once, in pods that no Service selects, without credentials for the cluster. */
export function jobManifest({ name, job, fill, token, createdBy, claims = {} }: JobOrder): Manifest {
  const marks = {
    [MARKS.createdBy]: createdBy,
    ...(token === undefined ? {} : { [MARKS.fence]: String(token) }),
  };
  const labels = { [MARKS.managedBy]: 'windlass' };
  const mounts = Object.entries(claims).map(([mountPath, claimName], index) => ({
    mount: { name: `claim-${index}`, mountPath },
    volume: { name: `claim-${index}`, persistentVolumeClaim: { claimName } },
  }));
  const container = {
    name: 'job',
    image: fillIn(job.image, fill),
    command: job.command.map((part) => fillIn(part, fill)),
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    ...(mounts.length > 0 ? { volumeMounts: mounts.map(({ mount }) => mount) } : {}),
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels, annotations: marks },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.ceil(job.timeout / 1000) + GRACE_S,
      ttlSecondsAfterFinished: KEPT_S,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          containers: [container],
          ...(mounts.length > 0 ? { volumes: mounts.map(({ volume }) => volume) } : {}),
        },
      },
    },
  };
}

/** `${version}` and the like; a name that is not known stays, so that it is seen. */
export const fillIn = (text: string, fill: Record<string, string | number>): string =>
  text.replace(/\$\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(fill, name) ? String(fill[name]) : whole));

/** How a Job ended; undefined while it may still end well. */
export function judgeJob(
  { metadata, status }: Job,
  timeoutMs: number,
  now: number,
): { outcome: 'succeeded' | 'failed' | 'timed-out'; detail: string } | undefined {
  const is = (type: string) => status?.conditions?.find((each) => each.type === type && each.status === 'True');
  if (is('Complete')) return { outcome: 'succeeded', detail: 'it completed' };
  const failed = is('Failed') ?? is('FailureTarget');
  const late = `it did not complete within ${Math.round(timeoutMs / 1000)} s`;
  if (failed?.reason === 'DeadlineExceeded') return { outcome: 'timed-out', detail: late };
  if (failed) return { outcome: 'failed', detail: failed.message ?? failed.reason ?? 'it failed' };
  const began = Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '');
  return now - began > timeoutMs ? { outcome: 'timed-out', detail: late } : undefined;
}
