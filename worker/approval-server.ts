// The approval server: `npm run approval-server`. A process of its own, because browsers reach it: it has the key that
// signs who decided, the signing secret of Slack, and no credential of any system.
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { createSignIn } from '../src/adapters/identity/sign-in.ts';
import { createStatementSigner } from '../src/adapters/identity/statements.ts';
import { createTokenVerifier } from '../src/adapters/identity/tokens.ts';
import { answerSlack } from '../src/adapters/slack.ts';
import { openCatalog } from '../src/catalog/open.ts';
import { createDesk } from '../src/server/approvals/desk.ts';
import { identifyBy, issuersOf } from '../src/server/approvals/identify.ts';
import { newSecret } from '../src/server/approvals/sealed-cookies.ts';
import { serveApprovals } from '../src/server/approvals/serve.ts';
import { approvalEnvironment, approvalHelp } from './approval-config.ts';
import { ConfigError, parseEnvironment } from './config.ts';
import { openEncryption } from './encryption.ts';
import { createLog } from './log.ts';
import { createSecrets } from './secrets.ts';
import { runServer } from './serve.ts';

/** Shorter ones can be guessed. */
const LEAST_KEY = 32;

if (process.argv.includes('--help')) process.stdout.write(`${approvalHelp()}\n`);
else await run();

async function run(): Promise<void> {
  const log = createLog(process.env['WINDLASS_LOG_LEVEL']);
  await runServer('the approval server', log, async () => {
    const from = parseEnvironment(approvalEnvironment, process.env);
    const secrets = createSecrets({ kubeconfig: from.KUBECONFIG });
    const secretOf = async (name: keyof typeof from, reference: string): Promise<string> =>
      secrets.resolve(reference).catch((error: Error) => {
        throw new ConfigError([`${name}: ${error.message}`]);
      });
    const { WINDLASS_APPROVAL_URL: origin, WINDLASS_STATEMENT_KEY: signs, TEMPORAL_UI_URL: ui } = from;
    const sessionKey = from.WINDLASS_APPROVAL_SESSION_KEY;
    const sessionSecret = sessionKey ? await secretOf('WINDLASS_APPROVAL_SESSION_KEY', sessionKey) : newSecret();
    if (sessionSecret.length < LEAST_KEY)
      throw new ConfigError([`WINDLASS_APPROVAL_SESSION_KEY: expected at least ${LEAST_KEY} characters (openssl rand -hex 32)`]); // prettier-ignore
    const signer = signs && (await createStatementSigner(await secretOf('WINDLASS_STATEMENT_KEY', signs)));
    const slackSecret = from.WINDLASS_SLACK_SIGNING_SECRET;
    if (slackSecret) await secretOf('WINDLASS_SLACK_SIGNING_SECRET', slackSecret);
    const clientSecret = from.WINDLASS_OIDC_CLIENT_SECRET;

    const encrypted = await openEncryption(from.WINDLASS_PAYLOAD_KEYS, secrets, log);
    const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
    // Lazily: a Temporal server that is away is an answer to people, not a reason not to start.
    const client = new Client({ connection: Connection.lazy(connectionOptions), namespace, ...encrypted });
    const catalog = openCatalog({ directory: from.WINDLASS_SYSTEMS, overlays: from.WINDLASS_OVERLAYS });
    await catalog.current();
    const tokens = createTokenVerifier();
    const own = { issuer: from.WINDLASS_OIDC_ISSUER, audience: from.WINDLASS_OIDC_CLIENT_ID };

    const server = await serveApprovals({
      ...from.WINDLASS_APPROVAL_ADDRESS,
      ...{ origin, sessionSecret, log, proxies: from.WINDLASS_APPROVAL_PROXIES },
      desk: createDesk({ client, catalog, identify: identifyBy(own.issuer), ...(signer ? { sign: (claims) => signer.sign(claims) } : {}) }), // prettier-ignore
      readToken: async (token) => tokens.read(token, [...issuersOf(await catalog.current()), own]),
      signIn: createSignIn({
        issuer: own.issuer,
        clientId: own.audience,
        callback: `${origin}/login/callback`,
        scope: from.WINDLASS_OIDC_SCOPE,
        ...(clientSecret ? { clientSecret: () => secrets.resolve(clientSecret) } : {}),
      }),
      ...(slackSecret ? { slack: { signingSecret: () => secrets.resolve(slackSecret), answer: answerSlack } } : {}),
      ...(ui ? { linkTo: (id, run) => `${ui.replace(/\/+$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}/${run}/history` } : {}), // prettier-ignore
    });
    if (!signer)
      log.warn('without WINDLASS_STATEMENT_KEY, gates that want a verified identity take no decision from here');
    return { server, ready: { ...from.WINDLASS_APPROVAL_ADDRESS, origin, slack: slackSecret !== undefined } };
  });
}
