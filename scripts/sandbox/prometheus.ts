import { mkdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { alertmanager } from './alertmanager.ts';
import { apply } from './api.ts';
import { pki } from './certificates.ts';
import { server } from './kubeconfig.ts';
import { inState } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';

/** Every `*.yaml` in it has rules; `rules.ts` adds some. */
export const rulesDir = () => inState('rules');

export const prometheusUrl = `http://127.0.0.1:${ports.prometheus}`;

/** How Prometheus reaches the API server: its part of `kubernetes_sd_configs`. */
export type Discovery = { api_server: string; tls_config: object } | { kubeconfig_file: string };

/** The sandbox's own cluster, seen as a user who may only read pods. */
export function sandboxDiscovery(): Discovery {
  const files = { ca_file: pki('ca.crt'), cert_file: pki('prometheus.crt'), key_file: pki('prometheus.key') };
  return { api_server: server, tls_config: files };
}

/** Starts Prometheus, which discovers the annotated pods of all namespaces. */
export async function startPrometheus(binary: string, discovery: Discovery): Promise<void> {
  for (const folder of [inState('prometheus'), rulesDir()]) mkdirSync(folder, { recursive: true });
  writeFileSync(inState('prometheus.yaml'), stringify(configuration(discovery)));
  const args = [
    `--config.file=${inState('prometheus.yaml')}`,
    `--storage.tsdb.path=${inState('prometheus')}`,
    `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    '--storage.tsdb.retention.time=7d',
    '--web.enable-lifecycle', // Rules come and go while it runs.
    // After a reload some versions do not know Alertmanager for seconds: what they tell then is lost until it is told again.
    '--rules.alert.resend-delay=10s',
    '--log.level=warn',
  ];
  start({ name: 'prometheus', command: binary, args });
  await ready('prometheus', async () => (await fetch(`${prometheusUrl}/-/ready`)).ok);
}

/** Lets the user of Prometheus's certificate list and watch pods. */
export async function applyPrometheusPermissions(kubectl: string): Promise<void> {
  await apply(kubectl, permissions);
}

function configuration(discovery: Discovery): object {
  const pod = '__meta_kubernetes_pod';
  const relabel = [
    { source_labels: [`${pod}_annotation_prometheus_io_scrape`], action: 'keep', regex: 'true' },
    { source_labels: [`${pod}_phase`], action: 'drop', regex: 'Pending|Succeeded|Failed' },
    // Several ports of a pod would give the same target several times; the annotation names the one.
    { source_labels: [`${pod}_container_init`], action: 'drop', regex: 'true' },
    { source_labels: [`${pod}_annotation_prometheus_io_path`], target_label: '__metrics_path__', regex: '(.+)' },
    {
      source_labels: [`${pod}_ip`, `${pod}_annotation_prometheus_io_port`],
      regex: '(.+);(\\d+)',
      replacement: '$1:$2',
      target_label: '__address__',
    },
    { action: 'labelmap', regex: `${pod}_label_(app|version|pod_template_hash)` },
    { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
    { source_labels: [`${pod}_name`], target_label: 'pod' },
  ];
  const job = { job_name: 'pods', kubernetes_sd_configs: [{ role: 'pod', ...discovery }], relabel_configs: relabel };
  const every = { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' };
  const alerting = {
    alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }],
  };
  return { global: every, rule_files: [`${rulesDir()}/*.yaml`], alerting, scrape_configs: [job] };
}

const permissions = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: sandbox-prometheus }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get, list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: sandbox-prometheus }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sandbox-prometheus }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: sandbox-prometheus }]
`;
