import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { makeCertificate, type TestCertificate } from './certificates.ts';

/** TLS in front of a server that speaks gRPC in the clear: it lets in whoever shows a client certificate of its CA. */
export interface TlsFront {
  /** `localhost:port`. */
  address: string;
  /** Temporal's variables for whoever trusts its CA, and for whoever has a client certificate, too. */
  trusting: Record<string, string>;
  admitted: Record<string, string>;
  /** As `admitted`, by a certificate of another CA. */
  stranger: Record<string, string>;
  /** Common names of the clients that were let in. */
  clients: string[];
  close(): Promise<void>;
}

/** @param behind `host:port` of the server in the clear */
export async function openTlsFront(behind: string): Promise<TlsFront> {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-tls-'));
  const keep = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const authority = () => makeCertificate({ subject: 'ca', names: 'DNS:ca', days: 1, signs: true });
  const [ca, otherCa] = [authority(), authority()];
  const own = makeCertificate({ names: 'DNS:localhost,IP:127.0.0.1', days: 1, by: ca });
  const client = (name: string, by: TestCertificate) => {
    const { cert, key } = makeCertificate({ subject: name, names: `DNS:${name}`, days: 1, by });
    return {
      TEMPORAL_TLS_CLIENT_CERT_PATH: keep(`${name}.crt`, cert),
      TEMPORAL_TLS_CLIENT_KEY_PATH: keep(`${name}.key`, key),
    };
  };

  const clients: string[] = [];
  const open = new Set<TLSSocket>();
  const [host, port] = behind.split(':') as [string, string];
  const server = createServer(
    { ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
    (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      clients.push(String(socket.getPeerCertificate().subject.CN));
      const through = connect(Number(port), host);
      socket.on('error', () => through.destroy());
      through.on('error', () => socket.destroy());
      socket.pipe(through).pipe(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `localhost:${(server.address() as AddressInfo).port}`;
  const trusting = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: keep('ca.crt', ca.cert),
  };
  return {
    ...{ address, trusting, clients },
    admitted: { ...trusting, ...client('worker', ca) },
    stranger: { ...trusting, ...client('stranger', otherCa) },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
      rmSync(folder, { recursive: true });
    },
  };
}
