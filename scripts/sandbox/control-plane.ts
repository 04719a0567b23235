import { mkdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { kubectl } from './api.ts';
import type { Binaries } from './binaries/index.ts';
import { pki } from './certificates.ts';
import { adminContext, kubeconfigFile, writeKubeconfig } from './kubeconfig.ts';
import { inState } from './paths.ts';
import { node, ports } from './ports.ts';
import { ready, start } from './processes.ts';

export const auditLog = () => inState('audit', 'audit.jsonl');

/** Starts etcd, the API server, the controller manager and the scheduler; returns when the API server is ready. */
export async function startControlPlane(binaries: Binaries): Promise<void> {
  writeKubeconfig('admin', adminContext, { certificate: 'admin' });
  start({ name: 'etcd', command: binaries.etcd, args: etcdArguments() });
  await ready('etcd', async () => (await fetch(`http://127.0.0.1:${ports.etcd}/health`)).ok);
  writeAuditPolicy();
  start({ name: 'kube-apiserver', command: binaries['kube-apiserver'], args: apiServerArguments() });
  await ready('kube-apiserver', () => apiReady(binaries.kubectl), 90);
  const client = ['--kubeconfig', kubeconfigFile('admin'), '--leader-elect=false', '--bind-address=127.0.0.1'];
  const manager = [
    `--secure-port=${ports.controllerManager}`,
    `--service-account-private-key-file=${pki('service-account.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    '--use-service-account-credentials',
    // Tests roll out many Deployments at once.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    `--cert-dir=${inState('kube-controller-manager')}`,
    `--flex-volume-plugin-dir=${inState('volume-plugins')}`,
  ];
  start({
    name: 'kube-controller-manager',
    command: binaries['kube-controller-manager'],
    args: [...client, ...manager],
  });
  const scheduler = [`--secure-port=${ports.scheduler}`, `--cert-dir=${inState('kube-scheduler')}`];
  start({ name: 'kube-scheduler', command: binaries['kube-scheduler'], args: [...client, ...scheduler] });
}

/** True when the API server answers that it is ready. */
export async function apiReady(binary: string): Promise<boolean> {
  return (await kubectl(binary, ['get', '--raw', '/readyz', '--request-timeout=2s'])) === 'ok';
}

function etcdArguments(): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  const peers = [
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
  const clients = [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`];
  // --unsafe-no-fsync: a killed process loses nothing by it; only a power cut would, and that is no matter here.
  return [`--data-dir=${inState('etcd')}`, ...clients, ...peers, '--unsafe-no-fsync', '--log-level=warn'];
}

function apiServerArguments(): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.kubernetes}`,
    '--bind-address=127.0.0.1',
    `--advertise-address=${node.address}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--service-account-key-file=${pki('service-account.pub')}`,
    `--service-account-signing-key-file=${pki('service-account.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${node.serviceCidr}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    `--kubelet-client-certificate=${pki('admin.crt')}`,
    `--kubelet-client-key=${pki('admin.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    // How the API server introduces itself to metrics-server.
    `--requestheader-client-ca-file=${pki('front-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki('front-proxy.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy.key')}`,
    // Blocking: a request is answered only when its audit line is written, so tests may read the file at once.
    `--audit-policy-file=${inState('audit-policy.yaml')}`,
    `--audit-log-path=${auditLog()}`,
    '--audit-log-mode=blocking',
    '--audit-log-maxsize=4096',
  ];
}

/** Every change with who made it and what was sent; reads as metadata would drown it, so they are left out. */
function writeAuditPolicy(): void {
  mkdirSync(inState('audit'), { recursive: true });
  const changes = ['create', 'update', 'patch', 'delete', 'deletecollection'];
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      {
        level: 'None',
        resources: [
          { group: '', resources: ['events'] },
          { group: 'events.k8s.io', resources: ['events'] },
        ],
      },
      // Heartbeats.
      {
        level: 'None',
        resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
        userGroups: ['system:nodes'],
      },
      {
        level: 'None',
        resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
        users: ['system:apiserver'],
      },
      // Bodies of these are secrets.
      {
        level: 'Metadata',
        verbs: changes,
        resources: [
          { group: '', resources: ['secrets', 'serviceaccounts/token'] },
          { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
        ],
      },
      { level: 'Request', verbs: changes },
      { level: 'None' },
    ],
  };
  writeFileSync(inState('audit-policy.yaml'), stringify(policy));
}
