import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from '@temporalio/client';

/** Both of each attempt: to connect, and to be told afterwards that the certificate is not accepted. */
const WITHIN_MS = 2000;
const SETTLED_AFTER_MS = 500;

export interface Obstacle {
  /** Whether a server is there and it is about certificates: who asks, or who answers, is not whom the other one trusts. */
  trust: boolean;
  /** What is wrong and what to set, the end of a sentence. */
  text: string;
}

/**
 * Why a server could not be reached: the gRPC libraries only say that it did not answer. Looks once, by a connection of
 * its own with the same certificates.
 * @returns undefined when nothing is found to be wrong
 */
export async function whyUnreachable({
  address,
  tls,
}: Pick<ConnectionOptions, 'address' | 'tls'>): Promise<Obstacle | undefined> {
  const [host, port] = hostAndPort(address ?? 'localhost:7233');
  const fault = await attempt(connectTcp({ host, port }), 'connect', 0);
  if (fault) return { trust: false, text: NETWORK[fault] ?? `connecting there fails (${fault})` };
  if (!tls) {
    const spoken = await attempt(connectTls({ host, port, rejectUnauthorized: false }), 'secureConnect', 0);
    return spoken === undefined || spoken.includes('ALERT')
      ? { trust: true, text: 'it speaks TLS: set TEMPORAL_TLS=true' }
      : undefined;
  }
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === true ? {} : tls;
  const shown = await attempt(
    connectTls({
      ...{ host, port, servername: serverNameOverride ?? host, ALPNProtocols: ['h2'] },
      ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
      ...(clientCertPair ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) } : {}),
    }),
    'secureConnect',
    SETTLED_AFTER_MS,
  );
  return shown === undefined
    ? undefined
    : { trust: true, text: trustText(shown, clientCertPair !== undefined && clientCertPair !== null) };
}

function hostAndPort(address: string): [string, number] {
  const { hostname, port } = new URL(`tcp://${address}`);
  return [hostname.replaceAll(/[[\]]/g, ''), Number(port || 7233)];
}

/** The code of the error by which a connection fails, or ends before it has lasted; undefined when it stands. */
function attempt(socket: Socket, event: string, lastsMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (fault?: string) => {
      clearTimeout(timer);
      resolve(fault);
      socket.destroy();
    };
    const timer = setTimeout(() => done('ETIMEDOUT'), WITHIN_MS);
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.once('end', () => done('ECONNRESET'));
    // In TLS 1.3 the server judges the client's certificate after the client has finished.
    socket.once(event, () => setTimeout(done, lastsMs));
  });
}

const NETWORK: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'nothing answers there',
};

function trustText(code: string, hasCertificate: boolean): string {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|UNSUPPORTED_PROTOCOL/.test(code))
    return 'it does not speak TLS: unset TEMPORAL_TLS';
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code))
    return 'its certificate is signed by nobody who is trusted here: set TEMPORAL_TLS_SERVER_CA_CERT_PATH';
  if (/ALTNAME_INVALID/.test(code)) return 'its certificate is for another name: set TEMPORAL_TLS_SERVER_NAME';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (!hasCertificate && /ALERT|ECONNRESET/.test(code))
    return 'it wants a client certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';
  if (/ALERT|ECONNRESET/.test(code)) return 'it refuses the client certificate of TEMPORAL_TLS_CLIENT_CERT_PATH';
  return `TLS with it fails (${code})`;
}
