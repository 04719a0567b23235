/** What was read of a service in its cluster at one moment. Kubernetes names are used as they are. */
export interface LiveService {
  clusterUid: string;
  namespace: string;
  /** Name of the Service, its UID and what it selects. */
  name: string;
  uid: string;
  selector: Record<string, string>;
  /** Fencing token on the Service; 0 when it carries none. */
  fence: number;
  /** Releases recorded on the Service, newest first. */
  releases: ReleaseRecord[];
  /** The selector from before the Service was adopted, while it is narrowed to the first color's pods. */
  adoptedSelector?: Record<string, string>;
  deployments: LiveDeployment[];
  /** Ready endpoints of the Service by Deployment name. */
  readyEndpoints: Record<string, number>;
  /** Managers of `spec.selector` of the Service, from managedFields. */
  selectorManagers: string[];
  /** What keeps new pods out, in words: an exceeded quota, for example. Empty when nothing does. */
  quota: { name: string; text: string; podsLeft?: number }[];
}

/** A Deployment of the namespace that the Service selects, selected before, or that has the workload's name or a color's. */
export interface LiveDeployment {
  name: string;
  uid: string;
  image: string;
  replicas: number;
  readyReplicas: number;
  podLabels: Record<string, string>;
  selectorLabels: Record<string, string>;
  /** Labels `pod-template-hash` of the current ReplicaSet; absent before its controller has seen it. */
  templateHash?: string;
  /** Distinct image ids of the running pods, `…@sha256:…`. */
  imageIds: string[];
  hasPersistentVolumeOnce: boolean;
  hasHostPort: boolean;
  /** True when the pods go on serving while they terminate: a preStop hook, or the annotation windlass.dev/drains. */
  drains: boolean;
  hpa?: { name: string; minReplicas: number; maxReplicas: number };
  pdb?: string;
  /** Managers of `spec.template`. */
  templateManagers: string[];
  /** Workflow id of the procedure that created it, from its annotation. */
  createdBy?: string;
  fence: number;
}

export type ReleaseOutcome = 'soaking' | 'good' | 'rolled-back';

/** Written on the Service in the very patch that moves its traffic, so that the record and the effect are one. */
export interface ReleaseRecord {
  version: string;
  image: string;
  deployment: string;
  color?: string;
  selector: Record<string, string>;
  outcome: ReleaseOutcome;
  /** When traffic was switched to it, ISO 8601. */
  at: string;
  workflowId: string;
}

/** Annotations and labels that Windlass writes on objects of a cluster. */
export const MARKS = {
  fence: 'windlass.dev/fence',
  releases: 'windlass.dev/releases',
  adoptedSelector: 'windlass.dev/adopted-selector',
  createdBy: 'windlass.dev/created-by',
  hpaMinimum: 'windlass.dev/hpa-minimum',
  drains: 'windlass.dev/drains',
  /** On a pod template: key of the step that restarted it. */
  restart: 'windlass.dev/restart',
  /** On a Deployment: key of the step that gave it a former template. */
  undone: 'windlass.dev/undone',
  /** What variables were before steps changed them. */
  formerEnv: 'windlass.dev/former-env',
  /** What a Service selected before maintenance mode. */
  maintenance: 'windlass.dev/maintenance',
  replicas: 'windlass.dev/replicas',
  managedBy: 'app.kubernetes.io/managed-by',
} as const;
