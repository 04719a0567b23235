import type { z } from 'zod';
import type { Cluster } from '../adapters/kubernetes/cluster.ts';
import type { CertificateQuestion, ServerCertificate } from '../adapters/certificate.ts';
import type { HttpAnswer, HttpRequest } from '../adapters/http.ts';
import type { NoticeOutcome, NoticeSubject } from '../adapters/notice.ts';
import type { ObjectStore } from '../adapters/object-store.ts';
import type { PostgresSession } from '../adapters/postgres.ts';
import type { RedisSession } from '../adapters/redis.ts';
import type { EnvironmentSlice, ServiceSlice } from '../contracts/catalog.ts';
import type { CatalogDatabase } from '../contracts/database.ts';
import type { CatalogRedis } from '../contracts/redis.ts';
import type { ActionCall } from '../contracts/runbook.ts';

/** Where an action acts: what the catalog says of the environment, and of the service if the runbook is for one. */
export interface ActionPlace {
  environment: EnvironmentSlice;
  service?: Pick<ServiceSlice, 'service' | 'spec'>;
  /** Those of the system that are in this environment, by name in the catalog. */
  databases?: Record<string, CatalogDatabase>;
  redis?: Record<string, CatalogRedis>;
}

/**
 * What an action works with, made for one attempt by the activities `planAction` and `runAction`. Everything an action
 * does outside of itself goes through here: an action imports no adapter, and one that needs another kind of system
 * adds a member.
 */
export interface ActionContext {
  place: ActionPlace;
  /** Unique per workflow and step, and the same for every attempt: the idempotency key, the marker to look for. */
  key: string;
  /** Twelve hexadecimal digits made of the key, to be part of a name. */
  mark: string;
  /** The cluster of the environment, its identity verified. @throws WrongCluster, Forbidden, Unavailable */
  cluster(): Promise<Cluster>;
  /**
   * Read what is to be changed, then call this, then change it under a test of what was read: an orphaned attempt of a
   * dead holder then changes nothing. Does nothing for an action that changes nothing.
   * @throws Fenced unless the lease of the procedure is still the newest one on the target
   */
  assertFence(): Promise<void>;
  /** Value of an instant query. @throws InvalidInput, Unavailable; NotFound when the environment has no Prometheus */
  metric(query: string): Promise<number | undefined>;
  /**
   * A session with the server of a database of the catalog, its identity verified; the same one in the whole attempt.
   * @throws NotFound, SecretMissing, Forbidden, WrongCluster, Unavailable
   */
  postgres(database: string): Promise<PostgresSession>;
  /** As `postgres`. */
  redis(name: string): Promise<RedisSession>;
  /** One HTTP request. @throws Unavailable when there is no answer */
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** What a TLS server shows of itself. @throws ApplicationFailure Unavailable when nobody answers there with TLS */
  certificate(question: Omit<CertificateQuestion, 'signal'>): Promise<ServerCertificate>;
  /** Tells people; a channel that stays silent is in the answer and fails nothing. */
  tell(channels: string[], text: string, subject?: NoticeSubject): Promise<NoticeOutcome>;
  objects: ObjectStore;
  /** Time of day in milliseconds since the epoch. */
  now(): number;
  /** Waits; a heartbeat with the newest progress is sent meanwhile, and cancellation ends it. */
  sleep(ms: number): Promise<void>;
  /** Progress that a later attempt finds in `former`. Without details it repeats the newest ones. */
  heartbeat(details?: unknown): void;
  former: unknown;
  signal: AbortSignal;
}

/** How often an effect may take place when the process dies around it; see docs/runbooks.md. */
export type Effect = 'convergent' | 'keyed' | 'look-before-repeat' | 'may-repeat';

/** What one call would do, found out by looking only. */
export interface ActionPlan {
  /** One line per change, exact enough to approve: `Deployment api: 2 → 5 replicas`. Empty when nothing would change. */
  lines: string[];
  /** The call that takes it back, whether or not the effect took place. Absent: it cannot be taken back. */
  undo?: ActionCall;
}

/** One kind of step: a typed activity that a runbook names. */
export interface Action<Parameters extends z.ZodType = z.ZodType, Output = unknown> {
  /** An imperative, as in the runbook: `scaleWorkload`. */
  name: string;
  /** One sentence for people. */
  description: string;
  group: 'kubernetes' | 'postgres' | 'redis' | 'http' | 'metrics' | 'notices' | 'objects';
  parameters: Parameters;
  /** Parameters of a call that works on the sandbox: for docs, and for the test. */
  example: z.input<Parameters>;
  /** What its output holds, by name: docs and the type check of expressions know it by this. */
  output: z.ZodType<Output>;
  /** `nothing`, or what kind of effect it has. */
  changes: 'nothing' | Effect;
  /** Of one attempt. @default 10 s */
  timeoutMs?: number;
  /** Looks at what would change. Only, and always, of an action that changes something. */
  plan?(context: ActionContext, parameters: z.output<Parameters>): Promise<ActionPlan>;
  run(context: ActionContext, parameters: z.output<Parameters>): Promise<Output>;
}

/**
 * Whether it changes what leases cover. Messages and evidence are effects too, but they concern nobody who changes the
 * target, so they need no lease.
 */
export const needsLease = ({ changes, group }: Pick<Action, 'changes' | 'group'>): boolean =>
  changes !== 'nothing' && group !== 'notices' && group !== 'objects';

/** Types an action by its schemas. */
export const defineAction = <Parameters extends z.ZodType, Output>(
  action: Action<Parameters, Output>,
): Action<Parameters, Output> => action;
