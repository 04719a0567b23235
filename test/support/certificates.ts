import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

/** PEM, and where it is kept. */
export interface TestCertificate {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
}

export interface CertificateRequest {
  /** Names it is for, as OpenSSL writes them: `DNS:shop.example.com,IP:127.0.0.1`. */
  names: string;
  /** From now. */
  days: number;
  /** Who signs it; itself when absent. */
  by?: TestCertificate;
}

/** A certificate made by OpenSSL. */
export function makeCertificate({ names, days, by }: CertificateRequest): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-certificate-'));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=windlass-test', '-addext', `subjectAltName=${names}`],
      ...['-days', String(days)],
      ...(by ? ['-CA', by.certFile, '-CAkey', by.keyFile, '-addext', 'basicConstraints=critical,CA:FALSE'] : []),
      ...['-keyout', keyFile, '-out', certFile],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** A TLS server that shows this certificate. @returns its port, and the server */
export async function serveCertificate({ cert, key }: TestCertificate): Promise<{ server: Server; port: number }> {
  const server = createServer({ cert, key });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
