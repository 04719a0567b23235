import type { ManagedFields } from './field-owners.ts';

// The parts of Kubernetes objects that are read here, as the API server writes them in JSON (times are text).
// What is not named here stays in the object untouched: a copy of a Deployment must not lose fields newer than us.

export type Labels = Record<string, string>;

export interface Metadata {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  labels?: Labels;
  annotations?: Labels;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: ManagedFields[];
}

/** What an object looks like before the API server has completed it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: Pick<Metadata, 'name' | 'labels' | 'annotations'> & { namespace?: string };
  spec: unknown;
}

export interface Namespace {
  metadata: Metadata;
}

export interface Service {
  metadata: Metadata;
  spec: { selector?: Labels; ports?: ServicePort[]; clusterIP?: string };
}

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
  appProtocol?: string;
}

export interface Container {
  name: string;
  image: string;
  env?: EnvironmentVariable[];
  ports?: { containerPort: number; hostPort?: number }[];
  lifecycle?: { preStop?: unknown };
  resources?: { requests?: Labels; limits?: Labels };
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  startupProbe?: Probe;
}

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string } };
}

/** The times of a probe; what it asks is not read here. */
export interface Probe {
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
  successThreshold?: number;
}

export interface PodTemplate {
  metadata?: { labels?: Labels; annotations?: Labels };
  spec: {
    containers: Container[];
    initContainers?: Container[];
    hostNetwork?: boolean;
    volumes?: { name: string; persistentVolumeClaim?: { claimName: string }; emptyDir?: object }[];
  };
}

export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Deployment {
  metadata: Metadata;
  spec: { replicas?: number; selector: LabelSelector; template: PodTemplate; paused?: boolean };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    /** Of a StatefulSet: what pods of the newest template carry as `controller-revision-hash`. */
    updateRevision?: string;
    conditions?: Condition[];
  };
}

/** As a Deployment, in what is read of it here. */
export type StatefulSet = Deployment;

export interface ReplicaSet {
  metadata: Metadata;
  spec?: { replicas?: number; template: PodTemplate };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  image?: string;
  imageID?: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { reason?: string; exitCode: number; message?: string; finishedAt?: string };
}

export interface Pod {
  metadata: Metadata;
  spec?: { nodeName?: string; containers?: Container[]; volumes?: PodTemplate['spec']['volumes'] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface KubernetesEvent {
  metadata: Metadata;
  involvedObject: { kind?: string; name?: string; uid?: string };
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  series?: { count?: number };
  lastTimestamp?: string;
  eventTime?: string;
}

export interface EndpointSlice {
  metadata: Metadata;
  endpoints?: { conditions?: { ready?: boolean }; targetRef?: { kind?: string; name?: string; uid?: string } }[];
}

export interface Autoscaler {
  metadata: Metadata;
  spec: {
    scaleTargetRef: { kind: string; name: string; apiVersion?: string };
    minReplicas?: number;
    maxReplicas: number;
  };
}

export interface DisruptionBudget {
  metadata: Metadata;
  spec: { selector?: LabelSelector };
}

export interface Quota {
  metadata: Metadata;
  status?: { hard?: Labels; used?: Labels };
}

export interface VolumeClaim {
  metadata: Metadata;
  spec: { accessModes?: string[] };
}

export interface Job {
  metadata: Metadata;
  status?: { startTime?: string; conditions?: Condition[]; failed?: number; succeeded?: number };
}

export interface Node {
  metadata: Metadata;
  /** `unschedulable`: cordoned. */
  spec: { unschedulable?: boolean };
  status?: { conditions?: Condition[]; allocatable?: Labels };
}

/** What a node uses, averaged over a window that ends at `timestamp`. */
export interface NodeMetrics {
  metadata: Metadata;
  timestamp: string;
  usage: Labels;
}

/** What a pod uses, averaged over a window that ends at `timestamp`. */
export interface PodMetrics {
  metadata: Metadata;
  timestamp: string;
  containers: { name: string; usage: { cpu?: string; memory?: string } }[];
}
