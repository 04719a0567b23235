import { apply } from './api.ts';
import type { Binaries } from './binaries/index.ts';
import { pki } from './certificates.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { inState } from './paths.ts';
import { node, ports } from './ports.ts';
import { start } from './processes.ts';

/** Starts metrics-server beside the cluster and registers it as the API of `kubectl top` and of autoscalers. */
export async function startMetricsServer(binaries: Binaries): Promise<void> {
  const kubeconfig = kubeconfigFile('admin');
  const client = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'];
  const args = [
    ...client.map((flag) => `--${flag}=${kubeconfig}`),
    `--bind-address=${node.address}`,
    `--secure-port=${ports.metricsServer}`,
    `--cert-dir=${inState('metrics-server')}`,
    `--requestheader-client-ca-file=${pki('front-ca.crt')}`,
    '--kubelet-insecure-tls',
    '--kubelet-preferred-address-types=InternalIP',
    '--metric-resolution=10s',
    // As long as may be: it must be shorter than the resolution, or metrics-server exits.
    '--kubelet-request-timeout=9s',
  ];
  start({ name: 'metrics-server', command: binaries['metrics-server'], args });
  await apply(binaries.kubectl, manifests);
}

const manifests = `
apiVersion: v1
kind: Service
metadata: { name: metrics-server, namespace: kube-system }
spec: { ports: [{ name: https, port: 443, targetPort: ${ports.metricsServer}, protocol: TCP }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: metrics-server-host, namespace: kube-system, labels: { kubernetes.io/service-name: metrics-server } }
addressType: IPv4
endpoints: [{ addresses: [${node.address}], conditions: { ready: true } }]
ports: [{ name: https, port: ${ports.metricsServer}, protocol: TCP }]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.metrics.k8s.io }
spec:
  group: metrics.k8s.io
  version: v1beta1
  service: { name: metrics-server, namespace: kube-system }
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
`;
