import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  compactVerify,
  CompactSign,
  exportJWK,
  importPKCS8,
  importSPKI,
  type CryptoKey,
} from 'jose';
import { statementSchema, type Statement, type StatementClaims } from '../../contracts/statement.ts';
import { failure } from '../failure.ts';

/** Ed25519 and nothing else: a statement never says how it wants to be verified. */
const ALGORITHM = 'EdDSA';
/** Tells a statement from any other token that the same key might sign (RFC 8725, explicit typing). */
const TYPE = 'windlass-decision+jwt';
const LIFETIME_SECONDS = 60;

/** Signs what the server has verified. Only the server has the private key. */
export interface StatementSigner {
  readonly keyId: string;
  /** @returns the statement in compact form, to be sent at once */
  sign(claims: StatementClaims, now?: number): Promise<string>;
}

/**
 * @param pem private key, Ed25519 in PKCS #8 (`openssl genpkey -algorithm ed25519`)
 * @throws InvalidInput when it is no such key; the text says nothing of it
 */
export async function createStatementSigner(pem: string): Promise<StatementSigner> {
  const key = await importPKCS8(pem, ALGORITHM, { extractable: true }).catch(() => {
    throw failure('InvalidInput', 'the key of statements is no Ed25519 private key in PEM (PKCS #8)');
  });
  const keyId = await calculateJwkThumbprint(await exportJWK(key));
  return {
    keyId,
    sign(claims, now = Date.now()) {
      const iat = Math.floor(now / 1000);
      const said: Statement = { ...claims, jti: randomUUID(), iat, exp: iat + LIFETIME_SECONDS };
      return new CompactSign(new TextEncoder().encode(JSON.stringify(statementSchema.parse(said))))
        .setProtectedHeader({ alg: ALGORITHM, kid: keyId, typ: TYPE })
        .sign(key);
    },
  };
}

/** Whether a statement was signed by one of our servers, and what it says. */
export type StatementReading = { statement: Statement } | { fault: string };

export interface StatementVerifier {
  read(statement: string): Promise<StatementReading>;
}

/**
 * @param pem public keys, Ed25519 in SPKI (`openssl pkey -pubout`), one after the other: while keys change there are two
 * @throws InvalidInput when one is no such key, or there is none
 */
export async function createStatementVerifier(pem: string): Promise<StatementVerifier> {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0)
    throw failure('InvalidInput', 'expected public keys of statements in PEM (SPKI), found none');
  const keys = new Map<string, CryptoKey>();
  for (const block of blocks) {
    const key = await importSPKI(block, ALGORITHM, { extractable: true }).catch(() => {
      throw failure('InvalidInput', `public key ${keys.size + 1} of statements is no Ed25519 key`);
    });
    keys.set(await calculateJwkThumbprint(await exportJWK(key)), key);
  }
  return {
    async read(statement) {
      try {
        const { payload, protectedHeader } = await compactVerify(
          statement,
          ({ kid }) => {
            const key = keys.get(kid ?? '');
            if (!key) throw new UnknownKey();
            return key;
          },
          { algorithms: [ALGORITHM] },
        );
        if (protectedHeader.typ !== TYPE) return { fault: 'it is no statement' };
        const parsed = statementSchema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
        return parsed.success ? { statement: parsed.data } : { fault: 'it does not say what a statement says' };
      } catch (error) {
        if (error instanceof UnknownKey) return { fault: 'it is signed with a key that is not ours' };
        return { fault: 'its signature does not verify' };
      }
    },
  };
}

class UnknownKey extends Error {}
