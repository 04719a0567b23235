import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

/** PEM. */
export interface TestCertificate {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  /** Common name. */
  subject?: string;
  /** Names it is for, as OpenSSL writes them: `DNS:shop.example.com,IP:127.0.0.1`. */
  names: string;
  /** From now to its end; negative for one that has ended. */
  days: number;
  /** Who signs it; itself when absent. */
  by?: TestCertificate;
  /** Whether it may sign others. */
  signs?: boolean;
}

const DAY_MS = 86_400_000;

/** A certificate made by OpenSSL; it began two days before now, or before its end. */
export function makeCertificate(request: CertificateRequest): TestCertificate {
  const { subject = 'windlass-test', names, days, by, signs = false } = request;
  const folder = mkdtempSync(join(tmpdir(), 'windlass-certificate-'));
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const end = Date.now() + days * DAY_MS;
    writeFileSync(at('index.txt'), '');
    writeFileSync(
      at('config'),
      [
        ...['[ca]', 'default_ca=own', '[own]', `database=${at('index.txt')}`, `new_certs_dir=${folder}`],
        ...['rand_serial=yes', 'default_md=sha256', 'policy=any', 'x509_extensions=extensions'],
        ...['[any]', 'commonName=supplied'],
        ...['[extensions]', `subjectAltName=${names}`, `basicConstraints=critical,CA:${signs ? 'TRUE' : 'FALSE'}`],
      ].join('\n'),
    );
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', ...curve, '-subj', `/CN=${subject}`, '-keyout', at('key'), '-out', at('request'));
    if (by) {
      writeFileSync(at('signer'), by.cert);
      writeFileSync(at('signer-key'), by.key);
    }
    openssl(
      ...['ca', '-batch', '-notext', '-config', at('config'), '-in', at('request'), '-out', at('cert')],
      ...(by ? ['-cert', at('signer'), '-keyfile', at('signer-key')] : ['-selfsign', '-keyfile', at('key')]),
      ...['-startdate', opensslTime(Math.min(Date.now(), end) - 2 * DAY_MS), '-enddate', opensslTime(end)],
    );
    return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `20261127020000Z` */
const opensslTime = (at: number): string => `${new Date(at).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;

/**
 * A TLS server that shows this certificate.
 * @param signers what it shows beside it, the nearest first
 * @returns its port, and the server
 */
export async function serveCertificate(
  { cert, key }: TestCertificate,
  ...signers: TestCertificate[]
): Promise<{ server: Server; port: number }> {
  const server = createServer({ cert: [cert, ...signers.map((each) => each.cert)].join(''), key });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
