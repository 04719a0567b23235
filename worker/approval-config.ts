import { join } from 'node:path';
import { z } from 'zod';
import { secretReference } from '../src/contracts/catalog-parts.ts';
import { payloadKeys } from '../src/adapters/temporal/payload-keys.ts';
import { ROOT } from './built.ts';
import { address, list, webOrigin } from './config.ts';

/** Variables of the approval server, with what `--help` and docs/approvals.md say of them. */
export const approvalEnvironment = z.object({
  WINDLASS_APPROVAL_URL: webOrigin.describe('Origin at which browsers reach it; required'),
  WINDLASS_APPROVAL_ADDRESS: address.prefault('127.0.0.1:18830').describe('host:port where it listens, without TLS'),
  WINDLASS_APPROVAL_SESSION_KEY: secretReference
    .optional()
    .describe('Reference of the key that seals sessions, the same for every process behind one address; else a new one with every start'), // prettier-ignore
  WINDLASS_APPROVAL_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe('Proxies in front of it, each of which adds to X-Forwarded-For'),
  WINDLASS_OIDC_ISSUER: z.url({ protocol: /^https?$/ }).describe('OpenID provider where people sign in; required'),
  WINDLASS_OIDC_CLIENT_ID: z.string('is not set').min(1).describe('Client there; required'),
  WINDLASS_OIDC_CLIENT_SECRET: secretReference
    .optional()
    .describe('Reference of its secret; a public client has none, PKCE protects it alone'),
  WINDLASS_OIDC_SCOPE: z.string().min(1).default('openid email profile').describe('Scope that is asked for'),
  WINDLASS_STATEMENT_KEY: secretReference
    .optional()
    .describe('Reference of the private key (Ed25519, PEM) that signs who decided; workers have its public key'),
  WINDLASS_SLACK_SIGNING_SECRET: secretReference
    .optional()
    .describe("Reference of the Slack app's signing secret; without it no button of Slack is answered"),
  WINDLASS_SYSTEMS: z
    .string()
    .min(1)
    .default(join(ROOT, 'systems'))
    .describe('Folder of the catalog; read again when a file changes'),
  WINDLASS_OVERLAYS: list.describe('Overlay files on the catalog'),
  WINDLASS_PAYLOAD_KEYS: payloadKeys.optional().describe('Keys that encrypt payloads, as of the workers'),
  KUBECONFIG: z.string().min(1).optional().describe('Cluster of references kubernetes:'),
  TEMPORAL_UI_URL: z.url().optional().describe('Address of the Temporal UI, for links'),
  WINDLASS_LOG_LEVEL: z.string().optional().describe('trace to error; default info'),
});

/** What `--help` prints: every variable with its line. */
export function approvalHelp(): string {
  const lines = Object.entries(approvalEnvironment.shape).map(
    ([name, { description }]) => `  ${name.padEnd(31)}${description}`,
  );
  return [
    'npm run approval-server: gates for people with a browser, for programs with a token, and for Slack (docs/approvals.md)',
    '',
    'It reads its environment: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the others of Temporal (docs/worker.md), and',
    ...lines,
    '',
    'References are env:NAME, file:/path or kubernetes:namespace/secret#key. Exit codes: 0 stopped, 1 failed, 2 wrongly configured.',
  ].join('\n');
}
