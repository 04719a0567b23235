import { z } from 'zod';
import type { Routable, TaskQueues } from '../domain/capabilities.ts';
import { gate, kubernetesName, url } from './catalog-parts.ts';
import { channel } from './channels.ts';
import { database, type CatalogDatabase, type DatabaseServer } from './database.ts';
import { errorBudget } from './error-budget.ts';
import { freeze } from './freeze.ts';
import { identity, identityPolicy, personIdentity, type IdentityPolicy } from './identity.ts';
import { incidents } from './incident-catalog.ts';
import { redis } from './redis.ts';
import { runbook } from './runbook.ts';
import { duration, imageReference, name, person } from './scalars.ts';
import { maintenance } from './window.ts';

const job = z.strictObject({
  image: imageReference
    .describe('Image of the Job; the release under way may be named by ${image}')
    .or(z.literal('${image}')),
  command: z
    .array(z.string())
    .min(1)
    .describe('${version}, ${service} and ${url} (of the color under test) are filled in'),
  timeout: duration,
});

const smokeTest = z.strictObject({
  path: z.string().startsWith('/'),
  status: z.int().min(100).max(599).default(200),
  contains: z.string().optional(),
});

/** One Prometheus judgement. In `query`, `$namespace`, `$service`, `$deployment` and `$hash` (pod-template-hash) are filled in. */
const metric = z
  .strictObject({
    name,
    query: z.string().min(1),
    unit: z.string().max(20).default(''),
    /** The value must stay at or below `max`, or at or above `min`. */
    max: z.number().optional(),
    min: z.number().optional(),
    /** How many failed measurements in a row end the soak. */
    failureLimit: z.int().min(1).default(2),
    /** A query of this many requests in the window; fewer make the measurement inconclusive. */
    samples: z.strictObject({ query: z.string().min(1), min: z.number().min(1) }).optional(),
  })
  .refine((m) => m.max !== undefined || m.min !== undefined, 'expected max or min');

const service = z.strictObject({
  description: z.string().optional(),
  workload: z.strictObject({ kind: z.literal('Deployment').default('Deployment'), name: kubernetesName }),
  container: kubernetesName,
  kubernetesService: kubernetesName,
  /** Port of the Kubernetes Service that speaks HTTP. */
  port: z.int().min(1).max(65535),
  color: z
    .strictObject({ label: z.string().default('version'), names: z.tuple([name, name]).default(['blue', 'green']) })
    .prefault({}),
  health: z.strictObject({
    path: z.string().startsWith('/'),
    checks: z.array(z.string()).default([]),
    maxAge: duration.prefault('60s').describe('An older timestamp makes the answer stale'),
  }),
  release: z
    .strictObject({
      preDeployment: job.optional(),
      postDeployment: job.optional(),
      smokeTests: z.array(smokeTest).default([]),
      rolloutTimeout: duration.prefault('600s'),
      drain: duration.prefault('30s'),
      soak: z
        .strictObject({
          duration: duration.prefault('10m'),
          interval: duration.prefault('30s'),
          warmUp: duration.prefault('15s'),
        })
        .prefault({}),
      retireAfter: duration.prefault('24h'),
      reviewAfter: duration.prefault('48h'),
      /** Checks are repeated after this while a gate waits, then ever more rarely, at least every 30 minutes. */
      recheckEvery: duration.prefault('5m'),
    })
    .prefault({}),
  metrics: z.array(metric).default([]).describe('Judged during the soak'),
  sla: z.array(metric).default([]).describe('Must be in target before a release starts'),
  /** Other owners of the objects, and how each is paused or told; a release is refused when an unlisted one owns a field it changes. */
  fieldOwners: z.array(z.strictObject({ manager: z.string(), how: z.string() })).default([]),
});

const taskQueue = z.string().regex(/^[\w./-]{1,200}$/, 'expected the name of a task queue, such as production-deploy');

const environment = z.strictObject({
  cluster: z.strictObject({
    context: z.string().min(1).describe('Context in the kubeconfig of the worker'),
    uid: z.uuid().optional().describe('UID of the kube-system namespace: the identity of the cluster'),
  }),
  namespace: name,
  prometheus: url.optional(),
  production: z.boolean().default(true),
  identity: identityPolicy
    .optional()
    .describe('Whose word decides gates here; default: verified in production of a system with "identity"'),
  taskQueues: z
    .strictObject({ deploy: taskQueue, backup: taskQueue, operate: taskQueue, notify: taskQueue } satisfies Record<
      Routable,
      unknown
    >)
    .partial()
    .optional()
    .describe('Where workers poll that have only one capability; the others are on the queue of the workflows'),
});

/** Somebody who decides in a person's place, with roles that the person has, until a date. */
const delegation = z.strictObject({
  to: person,
  roles: z.array(name).min(1),
  until: z.iso.datetime({ offset: true, error: 'expected a date with time and zone, such as 2030-01-07T08:00:00Z' }),
});

const personEntry = z.strictObject({
  name: person,
  roles: z.array(name).min(1),
  contact: z.string().optional(),
  identity: personIdentity
    .optional()
    .describe('Who they are for the identity provider; default: the name or contact is the address'),
  service: z
    .literal(true)
    .optional()
    .describe('A program: approves no gate of four eyes unless the gate lets services'),
  slack: z
    .string()
    .regex(
      /^T[A-Z0-9]{1,30}\/[UW][A-Z0-9]{1,30}$/,
      'expected workspace and user as Slack has them, such as T012AB/U345CD',
    )
    .optional()
    .describe('Who they are in Slack: workspace/user, by ids. For buttons of notices'),
  delegates: z
    .array(delegation)
    .max(10)
    .optional()
    .describe('Who decides in their place, with which roles, until when'),
});

/** One file `systems/<name>.yaml`. */
export const systemSchema = z.strictObject({
  apiVersion: z.literal('windlass/v1'),
  system: name,
  description: z.string().min(1),
  runbook: z.string().optional().describe('Where its facts come from'),
  environments: z.record(name, environment),
  services: z.record(name, service),
  databases: z.record(name, database).default({}),
  redis: z.record(name, redis).default({}),
  runbooks: z.record(name, runbook).default({}),
  windows: z.record(name, maintenance).default({}),
  freezes: z.record(name, freeze).default({}),
  incidents: incidents.optional(),
  errorBudgets: z.record(name, errorBudget).default({}).describe('By environment'),
  people: z.array(personEntry).default([]),
  identity: identity.optional().describe('How people prove who they are'),
  channels: z.record(name, channel).default({}),
  policies: z
    .strictObject({
      deployRelease: z
        .strictObject({
          gates: z.array(gate).default([]).describe('Before anything changes'),
          promotion: z.array(gate).default([]).describe('When the new color is proved, before it gets traffic'),
          notify: z.array(name).default([]),
        })
        .prefault({}),
      rollBackRelease: z
        .strictObject({ gates: z.array(gate).default([]), notify: z.array(name).default([]) })
        .prefault({}),
      backUpDatabase: z
        .strictObject({ gates: z.array(gate).max(0).default([]), notify: z.array(name).default([]) })
        .prefault({})
        .describe('Also of verifyBackup; a backup waits for nobody'),
      restoreDatabase: z
        .strictObject({ gates: z.array(gate).default([]), notify: z.array(name).default([]) })
        .prefault({})
        .describe('Without a gate of its own a restore asks anyone with a role'),
      /** Its gates are steps of the runbooks. */
      runRunbook: z.strictObject({ notify: z.array(name).default([]) }).prefault({}),
    })
    .prefault({}),
  /** Targets the public may hold the system to; release checks read `sla` of the service. */
  sla: z.strictObject({ uptimePercent: z.number(), responseTimeMs: z.number(), errorPercent: z.number() }).optional(),
});

export type SystemCatalog = z.output<typeof systemSchema>;
export type CatalogService = SystemCatalog['services'][string];
export type CatalogMetric = z.output<typeof metric>;
export type CatalogJob = z.output<typeof job>;
export type SmokeTest = z.output<typeof smokeTest>;

/**
 * What any procedure in an environment needs of the catalog, compiled when it starts and kept in its history, so that a
 * later edit of the file does not change a procedure under way. Durations are milliseconds.
 */
export interface EnvironmentSlice {
  /** SHA-256 of the catalog file and its overlay, `sha256:…`; the file itself is in the object store under it. */
  digest: string;
  system: string;
  environment: string;
  cluster: SystemCatalog['environments'][string]['cluster'];
  namespace: string;
  production: boolean;
  prometheus?: string;
  people: Omit<SystemCatalog['people'][number], 'identity' | 'slack'>[];
  /** Absent in what was compiled before there was a choice: declared. */
  identity?: IdentityPolicy;
  /** Where the capabilities are that are not on the queue of the workflows; absent where none is elsewhere. */
  taskQueues?: TaskQueues;
}

/** What a procedure on one service needs besides. */
export interface ServiceSlice extends EnvironmentSlice {
  service: string;
  spec: CatalogService;
  policies: SystemCatalog['policies'];
}

/** What a procedure on one database needs besides. */
export interface DatabaseSlice extends EnvironmentSlice {
  database: string;
  spec: Omit<CatalogDatabase, 'servers'>;
  server: DatabaseServer;
  /** Kubernetes Service of each service that a dependant belongs to. */
  services: Record<string, string>;
  policies: Pick<SystemCatalog['policies'], 'backUpDatabase' | 'restoreDatabase'>;
}

/** Where a procedure acts; sent with every activity so that each checks it anew. */
export interface Target {
  system: string;
  environment: string;
  service: string;
  context: string;
  /** Expected UID of the kube-system namespace; learned at the plan when the catalog does not name it. */
  clusterUid?: string;
  namespace: string;
  kubernetesService: string;
}
