import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { secretReference } from '../src/contracts/catalog-parts.ts';
import { duration } from '../src/contracts/scalars.ts';
import { CAPABILITIES, type Capability } from '../src/domain/capabilities.ts';
import type { ObjectStoreOptions } from '../src/adapters/object-store.ts';
import { payloadKeys, type PayloadKeys } from '../src/adapters/temporal/payload-keys.ts';
import type { SealedStoreOptions } from '../src/adapters/sealed-store.ts';
import { ROOT } from './built.ts';

/** `host:port`. */
export const address = z
  .string()
  .regex(/^[^:\s]+:\d{1,5}$/, 'expected host:port, such as 127.0.0.1:9464')
  .transform((text) => {
    const [host, port] = text.split(':') as [string, string];
    return { host, port: Number(port) };
  });
export type Address = z.output<typeof address>;

/** Items separated by commas; none when it is not set. */
export const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((each) => each.trim()).filter(Boolean)); // prettier-ignore

/** The origin of a server that browsers reach: sessions and tokens go there. */
export const webOrigin = z
  .string()
  .regex(/^https?:\/\/[^/\s]+$/, 'expected the origin that browsers see, such as https://approvals.example.com')
  .refine(
    (text) => text.startsWith('https:') || /^http:\/\/(127\.0\.0\.1|localhost)(:|$)/.test(text),
    'expected https: sessions and tokens go there',
  );

const required = (example: string) =>
  z.string(`is not set: expected ${example}`).min(1, `is empty: expected ${example}`);

const secretFile = required('a file that holds the secret key').transform((path, context) => {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret) return secret;
    context.addIssue(`expected a secret key in ${path}, which is empty`);
  } catch (error) {
    context.addIssue(`expected a readable file, got ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
  return z.NEVER;
});

const objectStore = {
  WINDLASS_S3_ENDPOINT: required('the address of the object store that keeps evidence').pipe(
    z.url({ protocol: /^https?$/ }),
  ),
  WINDLASS_S3_REGION: z.string().min(1).default('us-east-1'),
  WINDLASS_S3_BUCKET: required('a bucket'),
  WINDLASS_S3_ACCESS_KEY_ID: required('an access key id'),
  WINDLASS_S3_SECRET_KEY_FILE: secretFile,
};

const capabilities = z
  .string()
  .default(CAPABILITIES.join())
  .transform((text) => [...new Set(text.split(',').map((each) => each.trim()))])
  .pipe(
    z.array(z.enum(CAPABILITIES, { error: ({ input }) => `expected ${CAPABILITIES.join(', ')} or some of them separated by commas, got "${String(input)}"` })), // prettier-ignore
  );

const settings = {
  WINDLASS_CAPABILITIES: capabilities,
  WINDLASS_TASK_QUEUE: z.string().min(1).default('windlass'),
  WINDLASS_SYSTEMS: z.string().min(1).default(join(ROOT, 'systems')),
  WINDLASS_OVERLAYS: list,
  KUBECONFIG: z.string().min(1).optional(),
  WINDLASS_PAYLOAD_KEYS: payloadKeys.optional(),
  WINDLASS_STATEMENT_KEYS: secretReference.optional(),
  WINDLASS_METRICS_ADDRESS: address.optional(),
  WINDLASS_HEALTH_ADDRESS: address.optional(),
  WINDLASS_ALERTS_TOKEN: secretReference.optional(),
  WINDLASS_ALERTS_ADDRESS: address.prefault('127.0.0.1:18810'),
  WINDLASS_APPROVAL_URL: webOrigin.optional(),
  WINDLASS_AUDIT_DATABASE: secretReference.optional(),
  WINDLASS_AUDIT_OWNER_DATABASE: secretReference.optional(),
  WINDLASS_AUDIT_BUCKET: z.string().min(1).optional(),
  WINDLASS_AUDIT_PREFIX: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'expected a prefix such as audit')
    .default('audit'),
  WINDLASS_AUDIT_LOCK: z.enum(['compliance', 'governance', 'off']).default('compliance'),
  WINDLASS_AUDIT_RETENTION: duration.prefault('365d'),
  WINDLASS_AUDIT_EVERY: z.literal('off').or(duration).prefault('1m'),
  WINDLASS_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  // A parked workflow takes about 250 KB while it is cached.
  WINDLASS_MAX_CACHED_WORKFLOWS: z.coerce.number().int().min(0).max(100_000).default(1_000),
  WINDLASS_SHUTDOWN_GRACE: duration.prefault('10s'),
  WINDLASS_WORKER_EXTENSIONS: list,
};

const withoutEvidence = z.object(settings);
const environment = z.object({ ...objectStore, ...settings });
/** The others keep none: backups have a store of their own in the catalog. */
const KEEP_EVIDENCE: Capability[] = ['core', 'deploy', 'operate'];

export interface WorkerConfig {
  /** What it carries out; workflows where `core` is one of them. */
  capabilities: Capability[];
  taskQueue: string;
  /** Folder of the catalog, and overlay files on it. */
  catalog: { directory: string; overlays: string[] };
  /** Path of the kubeconfig; undefined: the library's usual places, then the pod's own service account. */
  kubeconfig?: string;
  /** Where evidence goes; absent when none of its capabilities keeps any. */
  objectStore?: ObjectStoreOptions;
  /** Keys for what goes to Temporal; undefined: it is plain text. */
  payloadKeys?: PayloadKeys;
  /** With `core`: reference of the public keys of statements; undefined: gates that want a verified identity cannot be decided. */
  statementKeys?: string;
  metrics?: Address;
  health?: Address;
  /** With `core`: where alerts come in, and the reference of the token they must bring; absent when none are taken. */
  alerts?: Address & { token: string };
  /** Origin of the approval server, for links in messages. */
  approvalUrl?: string;
  /** With `core`: where the audit goes; absent when it is off. */
  audit?: AuditConfig;
  logLevel: string;
  maxCachedWorkflows: number;
  /** How long activities may run on after the worker was told to stop, in milliseconds. */
  shutdownGraceMs: number;
  /** Paths of modules that add to the worker (extensions.ts). */
  extensions: string[];
}

export interface AuditConfig {
  /** References of PostgreSQL URLs: as the one who writes, and as the owner of the tables, who makes them. */
  database: string;
  owner?: string;
  store: SealedStoreOptions;
  prefix: string;
  /** How often what has ended is looked for; `off` where somebody else starts `reconcileAudit`. */
  everyMs: number | 'off';
}

/** The worker cannot start as configured; a line per fault. */
export class ConfigError extends Error {
  readonly faults: string[];

  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** What an environment says by a schema. @throws ConfigError with every fault */
export function parseEnvironment<T extends z.ZodType>(schema: T, env: Readonly<Record<string, string | undefined>>) {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}

/**
 * Reads the worker's configuration; Temporal's own variables (TEMPORAL_ADDRESS and so on) are read by its envconfig.
 * @throws ConfigError with every fault
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const asked = capabilities.safeParse(env['WINDLASS_CAPABILITIES']);
  const evidence = !asked.success || asked.data.some((each) => KEEP_EVIDENCE.includes(each));
  if (!evidence) return commonOf(parseEnvironment(withoutEvidence, env));
  const from = parseEnvironment(environment, env);
  return {
    ...commonOf(from),
    objectStore: objectStoreOf(from),
    // The audit, alerts and statements belong to what workflows run beside.
    ...(from.WINDLASS_CAPABILITIES.includes('core') ? coreOf(from) : {}),
  };
}

type Parsed = z.output<typeof environment>;

function commonOf(from: z.output<typeof withoutEvidence>): WorkerConfig {
  return {
    capabilities: from.WINDLASS_CAPABILITIES,
    taskQueue: from.WINDLASS_TASK_QUEUE,
    catalog: { directory: from.WINDLASS_SYSTEMS, overlays: from.WINDLASS_OVERLAYS },
    ...(from.KUBECONFIG ? { kubeconfig: from.KUBECONFIG } : {}),
    ...(from.WINDLASS_PAYLOAD_KEYS ? { payloadKeys: from.WINDLASS_PAYLOAD_KEYS } : {}),
    ...(from.WINDLASS_METRICS_ADDRESS ? { metrics: from.WINDLASS_METRICS_ADDRESS } : {}),
    ...(from.WINDLASS_HEALTH_ADDRESS ? { health: from.WINDLASS_HEALTH_ADDRESS } : {}),
    ...(from.WINDLASS_APPROVAL_URL ? { approvalUrl: from.WINDLASS_APPROVAL_URL } : {}),
    logLevel: from.WINDLASS_LOG_LEVEL,
    maxCachedWorkflows: from.WINDLASS_MAX_CACHED_WORKFLOWS,
    shutdownGraceMs: from.WINDLASS_SHUTDOWN_GRACE,
    extensions: from.WINDLASS_WORKER_EXTENSIONS,
  };
}

const coreOf = (from: Parsed): Pick<WorkerConfig, 'statementKeys' | 'alerts' | 'audit'> => ({
  ...(from.WINDLASS_STATEMENT_KEYS ? { statementKeys: from.WINDLASS_STATEMENT_KEYS } : {}),
  ...(from.WINDLASS_ALERTS_TOKEN
    ? { alerts: { ...from.WINDLASS_ALERTS_ADDRESS, token: from.WINDLASS_ALERTS_TOKEN } }
    : {}),
  ...(from.WINDLASS_AUDIT_DATABASE ? { audit: auditOf(from, from.WINDLASS_AUDIT_DATABASE) } : {}),
});

const objectStoreOf = (from: Parsed): ObjectStoreOptions => ({
  endpoint: from.WINDLASS_S3_ENDPOINT,
  region: from.WINDLASS_S3_REGION,
  bucket: from.WINDLASS_S3_BUCKET,
  accessKeyId: from.WINDLASS_S3_ACCESS_KEY_ID,
  secretAccessKey: from.WINDLASS_S3_SECRET_KEY_FILE,
});

const auditOf = (from: Parsed, database: string): AuditConfig => ({
  database,
  ...(from.WINDLASS_AUDIT_OWNER_DATABASE ? { owner: from.WINDLASS_AUDIT_OWNER_DATABASE } : {}),
  store: {
    ...objectStoreOf(from),
    ...(from.WINDLASS_AUDIT_BUCKET ? { bucket: from.WINDLASS_AUDIT_BUCKET } : {}),
    lock: from.WINDLASS_AUDIT_LOCK,
    retentionMs: from.WINDLASS_AUDIT_RETENTION,
  },
  prefix: from.WINDLASS_AUDIT_PREFIX,
  everyMs: from.WINDLASS_AUDIT_EVERY,
});
