import type { CatalogJob, CatalogService, ServiceSlice, Target } from '../src/contracts/catalog.ts';
import type { EvidenceRef } from '../src/contracts/evidence.ts';
import type { HealthReport } from '../src/domain/health.ts';
import type { Measurement } from '../src/domain/release/analysis-types.ts';
import type { ReleasePlan } from '../src/domain/release/plan-types.ts';
import type { RolloutResult } from '../src/domain/release/rollout.ts';
import type { LiveService, ReleaseOutcome, ReleaseRecord } from '../src/domain/release/state.ts';

type Labels = Record<string, string>;

/** Where a change is made, and the fencing token of the lease that allows it. */
export interface Fenced {
  target: Target;
  token: number;
}

export interface DraftRequest {
  slice: ServiceSlice;
  image: string;
  version: string;
  requestedBy: string;
}

export interface SelectorChange extends Fenced {
  from: Labels;
  to: Labels;
}

export interface SwitchRequest extends Fenced {
  /** What the Service must select now; anything else was changed by somebody. */
  expect: Labels;
  /** The release that takes over; its selector is what the Service selects afterwards. */
  record: ReleaseRecord;
  /** The release that served, for when none is recorded yet. */
  previous?: ReleaseRecord;
  previousOutcome: ReleaseOutcome;
  /** This many pods that the new selector reaches must be ready. */
  requireReady: number;
}

export interface RemovalRequest extends Fenced {
  deployment: string;
  /** Which one is meant: by UID, else by the workflow id that created it. */
  uid?: string;
  createdBy?: string;
  unlessSelected: true;
}

export interface Removal {
  removed: boolean;
  message: string;
}

export interface CheckRequest {
  target: Target;
  spec: CatalogService;
  /** Name of the Service to ask through. */
  via: string;
  expectedVersion?: string;
}

export interface JobRequest extends Fenced {
  /** Deterministic, so that a repeated attempt finds the Job of the first. */
  name: string;
  job: CatalogJob;
  /** `service` and `port`: of the color under test; its URL becomes `${url}`. */
  fill: { version: string; image: string; service: string; port: number };
  evidenceKey: string;
}

export interface JobResult {
  outcome: 'succeeded' | 'failed' | 'timed-out';
  detail: string;
  log?: EvidenceRef;
}

export interface Traffic {
  /** Only that Deployment has endpoints, and at least one of them is ready. */
  only: boolean;
  /** Ready endpoints by Deployment. */
  ready: Record<string, number>;
}

/** What a release does to a cluster and reads of it. Each first makes sure that it talks to the right cluster. */
export interface ReleaseActivities {
  draftRelease(request: DraftRequest): Promise<ReleasePlan>;
  observeService(request: { target: Target; spec: CatalogService }): Promise<LiveService>;

  claimTarget(request: Fenced): Promise<void>;
  narrowService(request: SelectorChange): Promise<void>;
  restoreSelector(request: SelectorChange): Promise<void>;
  switchTraffic(request: SwitchRequest): Promise<{ switchedAt: string }>;
  recordOutcome(request: Fenced & { deployment: string; outcome: ReleaseOutcome }): Promise<void>;
  observeTraffic(request: { target: Target; deployment: string }): Promise<Traffic>;
  awaitDrained(request: { target: Target; deployment: string; timeoutMs: number }): Promise<{ settledAt: string }>;

  createColor(request: { plan: ReleasePlan; token: number; createdBy: string }): Promise<{ uid: string }>;
  awaitRollout(request: { target: Target; deployment: string; timeoutMs: number }): Promise<RolloutResult>;
  removeColor(request: RemovalRequest): Promise<Removal>;
  removePreview(request: Fenced & { preview: string }): Promise<void>;
  pinAutoscaler(request: Fenced & { hpa: string; minimum: number }): Promise<void>;
  unpinAutoscaler(request: Fenced & { hpa: string }): Promise<void>;

  checkHealth(request: CheckRequest): Promise<HealthReport>;
  runSmokeTests(request: CheckRequest): Promise<{ failures: string[] }>;
  measure(request: {
    slice: ServiceSlice;
    metrics: 'metrics' | 'sla';
    deployment: string;
    templateHash: string;
  }): Promise<Measurement[]>;
  detectInterference(
    request: Fenced & { expect: { selector: Labels; deployment: string; uid: string; templateHash: string } },
  ): Promise<string[]>;

  runJob(request: JobRequest): Promise<JobResult>;
  keepColorEvidence(request: { target: Target; deployment: string; evidenceKey: string }): Promise<EvidenceRef>;
}
