/**
 * Every port and address of the sandbox, fixed so that documentation, tests and the reader's browser agree.
 * All listen on loopback, except the kubelet and metrics-server, which need the node's own address.
 */
export const ports = {
  temporal: 17233,
  temporalUi: 18233,
  etcd: 12379,
  etcdPeer: 12380,
  kubernetes: 16443,
  controllerManager: 16257,
  scheduler: 16259,
  kubeletHealth: 16248,
  kubeProxyHealth: 16256,
  kubeProxyMetrics: 16249,
  metricsServer: 14443,
  prometheus: 19090,
  alertmanager: 19093,
  postgres: 15432,
  redis: 16379,
  s3: 17070,
  receivers: 18800,
  smtp: 18825,
  identity: 18840,
} as const;

/** Where a Windlass worker takes alerts; not the sandbox's own, so a worker that runs already is not in its way. */
export const intakePort = 18810;
/** And a second one beside it, which takes the alerts that are labeled for it. */
export const secondIntakePort = 18811;

/** Where an approval server takes people back from their login. */
export const approvalPort = 18830;

/** The node needs an address that is not loopback; a bridge of its own carries it. */
export const node = {
  name: 'sandbox',
  address: '10.243.0.1',
  bridge: 'windlass-node',
  podBridge: 'windlass-pods',
  podCidr: '10.244.0.0/24',
  serviceCidr: '10.96.0.0/16',
  apiServiceAddress: '10.96.0.1',
  /** Name of the cgroup under which the kubelet puts every pod. */
  cgroup: 'windlass-sandbox',
} as const;
