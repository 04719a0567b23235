import { existsSync, mkdirSync } from 'node:fs';
import { inState } from './paths.ts';
import { node } from './ports.ts';
import { run } from './run.ts';

const days = '3650';

/** Path of a file of the sandbox's public key infrastructure, e.g. `pki('ca.crt')`. */
export function pki(file: string): string {
  return inState('pki', file);
}

/** Makes the certificate authorities, certificates and the service account key once per state folder. */
export async function ensureCertificates(): Promise<void> {
  if (existsSync(pki('complete'))) return;
  mkdirSync(inState('pki'), { recursive: true, mode: 0o700 });
  await Promise.all([authority('ca', '/CN=windlass-sandbox-ca'), authority('front-ca', '/CN=front-proxy-ca')]);
  const apiNames = `IP:127.0.0.1,IP:${node.address},IP:${node.apiServiceAddress},DNS:localhost,DNS:kubernetes.default.svc`;
  await Promise.all([
    certificate('apiserver', 'ca', '/CN=kube-apiserver', apiNames),
    certificate('admin', 'ca', '/O=system:masters/CN=sandbox-admin', 'DNS:sandbox-admin'),
    certificate('node', 'ca', `/O=system:nodes/CN=system:node:${node.name}`, `DNS:${node.name},IP:${node.address}`),
    certificate('prometheus', 'ca', '/CN=sandbox-prometheus', 'DNS:sandbox-prometheus'),
    certificate('front-proxy', 'front-ca', '/CN=front-proxy-client', 'DNS:front-proxy-client'),
    run('openssl', ['genpkey', ...ecKey, '-out', pki('service-account.key')]).then(() =>
      run('openssl', ['pkey', '-in', pki('service-account.key'), '-pubout', '-out', pki('service-account.pub')]),
    ),
  ]);
  await run('touch', [pki('complete')]);
}

const ecKey = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function authority(name: string, subject: string): Promise<void> {
  const files = ['-keyout', pki(`${name}.key`), '-out', pki(`${name}.crt`)];
  await run('openssl', ['req', '-x509', ...newKey, ...files, '-days', days, '-subj', subject]);
}

async function certificate(name: string, issuer: string, subject: string, alternativeNames: string): Promise<void> {
  const request = ['-keyout', pki(`${name}.key`), '-out', pki(`${name}.csr`), '-subj', subject];
  await run('openssl', ['req', ...newKey, ...request, '-addext', `subjectAltName=${alternativeNames}`]);
  const signing = ['-CA', pki(`${issuer}.crt`), '-CAkey', pki(`${issuer}.key`), '-copy_extensions', 'copy'];
  // An explicit serial: two certificates of one authority are signed at the same time and would race for a serial file.
  const serial = ['-set_serial', `0x${crypto.randomUUID().replaceAll('-', '')}`];
  const files = ['-in', pki(`${name}.csr`), '-out', pki(`${name}.crt`)];
  await run('openssl', ['x509', '-req', ...files, ...signing, ...serial, '-days', days]);
}
