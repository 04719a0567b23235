import { isIP } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { failure } from './failure.ts';

/** What a server shows of itself when a TLS connection begins. */
export interface ServerCertificate {
  subject: string;
  issuer: string;
  validFrom: Date;
  validTo: Date;
  /** Why it is not for the name that was asked for. */
  wrongName?: string;
  /** Why it is not trusted, such as `self-signed certificate`; its own expiry apart, which the dates tell. */
  untrusted?: string;
}

export interface CertificateQuestion {
  host: string;
  port: number;
  /** Name that is asked for (SNI) and that the certificate must be for. */
  name: string;
  timeoutMs: number;
  signal: AbortSignal;
}

const EXPIRY = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/**
 * The certificate of a TLS server, whatever is wrong with it. Nothing is sent over the connection. Trusted is what Node
 * trusts: its own authorities and those of NODE_EXTRA_CA_CERTS.
 * @throws ApplicationFailure Unavailable when nobody answers there, or not with TLS
 */
export async function readServerCertificate(question: CertificateQuestion): Promise<ServerCertificate> {
  const { host, port, name, timeoutMs, signal } = question;
  const where = `${host}:${port}`;
  const socket = connect({
    ...{ host, port, signal, timeout: timeoutMs },
    // An address is no name to ask for (RFC 6066, section 3).
    ...(isIP(name) ? {} : { servername: name }),
    // What is wrong is found out here, all of it; a refused connection would tell one fault and no dates.
    rejectUnauthorized: false,
  });
  try {
    await handshake(socket);
    const certificate = socket.getPeerCertificate();
    if (!certificate.valid_to) throw new Error('it shows no certificate');
    return { ...describe(certificate), ...trustOf(socket, certificate, name) };
  } catch (error) {
    throw failure('Unavailable', `${where} does not answer with TLS: ${(error as Error).message}`);
  } finally {
    socket.destroy();
  }
}

const handshake = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('nothing came in time')));
    socket.once('close', () => reject(new Error('the connection was closed')));
  });

function describe({ subject, issuer, valid_from, valid_to }: PeerCertificate) {
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    validFrom: new Date(valid_from),
    validTo: new Date(valid_to),
  };
}

/** The common name, or the organization of one that has none. */
const nameOf = ({ CN, O }: PeerCertificate['subject']): string => [CN ?? O ?? 'no name'].flat().join(', ');

function trustOf(socket: TLSSocket, certificate: PeerCertificate, name: string) {
  const wrongName = checkServerIdentity(name, certificate)?.message;
  // Node's types call it an Error; it is the code of OpenSSL, or the name's fault again.
  const code = socket.authorizationError as unknown as string | null;
  const untrusted = code && code !== 'ERR_TLS_CERT_ALTNAME_INVALID' ? whyUntrusted(code, certificate) : undefined;
  return { ...(wrongName ? { wrongName } : {}), ...(untrusted ? { untrusted } : {}) };
}

/** OpenSSL says of a whole chain that it has expired; it may be a signer that has, and then these dates tell nothing. */
function whyUntrusted(code: string, { valid_from, valid_to }: PeerCertificate): string | undefined {
  if (!EXPIRY.includes(code)) return plain(code);
  const now = Date.now();
  const itself = Date.parse(valid_to) <= now || Date.parse(valid_from) > now;
  return itself ? undefined : `one that signed it: ${plain(code)}`;
}

/** `DEPTH_ZERO_SELF_SIGNED_CERT` → `depth zero self signed cert`. */
const plain = (code: string): string => code.toLowerCase().replaceAll('_', ' ');
