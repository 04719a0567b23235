import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { pki } from './certificates.ts';
import { inState } from './paths.ts';
import { ports } from './ports.ts';

export const server = `https://127.0.0.1:${ports.kubernetes}`;
export const adminContext = 'windlass-sandbox-admin';
export const workerContext = 'windlass-sandbox';

export type Credentials = { certificate: string } | { token: string };

/** Path of a kubeconfig in the state folder, e.g. `admin`, `worker`. */
export function kubeconfigFile(name: string): string {
  return inState(`${name}.kubeconfig`);
}

/** Writes a kubeconfig with everything embedded, so that it can be copied elsewhere on the machine. */
export function writeKubeconfig(name: string, context: string, credentials: Credentials): void {
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(pki(`${credentials.certificate}.crt`)),
          'client-key-data': base64(pki(`${credentials.certificate}.key`)),
        };
  const cluster = { server, 'certificate-authority-data': base64(pki('ca.crt')) };
  writeKubeconfigDocument(name, context, cluster, user);
}

/** Writes a kubeconfig of one cluster, one user and one context. */
export function writeKubeconfigDocument(name: string, context: string, cluster: object, user: object): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster }],
    users: [{ name, user }],
    contexts: [{ name: context, context: { cluster: 'sandbox', user: name } }],
    'current-context': context,
  };
  writeFileSync(kubeconfigFile(name), stringify(config), { mode: 0o600 });
}

function base64(file: string): string {
  return readFileSync(file).toString('base64');
}
