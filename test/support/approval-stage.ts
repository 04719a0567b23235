import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failure } from '../../src/adapters/failure.ts';
import type { SlackAnswer } from '../../src/adapters/slack.ts';
import { gateId } from '../../src/contracts/gate-id.ts';
import type { DecisionResult, GateView } from '../../src/contracts/gates.ts';
import type { ApprovalsOptions } from '../../src/server/approvals/app.ts';
import { NO_GATE, type Desk, type GateSight, type Said } from '../../src/server/approvals/desk.ts';
import { serveApprovals } from '../../src/server/approvals/serve.ts';
import { Refusal } from '../../src/server/requests.ts';

export const ORIGIN = 'http://127.0.0.1:18830';
export const SLACK_SECRET = 'signing-secret-of-tests';

export const GATE: GateView = {
  name: 'security',
  kind: 'approval',
  asks: 'Is the image scanned?',
  roles: ['security'],
  quorum: 2,
  outcome: 'waiting',
  code: 'run-plan',
  openedAt: '2030-01-01T00:00:00.000Z',
  expiresAt: '2030-01-01T04:00:00.000Z',
  approvals: [{ by: 'bea', at: '2030-01-01T00:10:00.000Z', reason: 'read it' }],
  decisions: [{ decision: 'approve', by: 'bea', at: '2030-01-01T00:10:00.000Z', reason: 'read it' }],
};
export const ID = gateId({ workflowId: 'deploy/shop-v2', gate: 'security' });

/** A gate with everything that a page can show. */
export const sightOf = (gate: Partial<GateView> = {}, over: Partial<GateSight> = {}): GateSight => ({
  id: ID,
  me: { name: 'ana', granted: [] },
  run: {
    workflowId: 'deploy/shop-v2',
    runId: '6a1e6a4e-0000-4000-8000-000000000001',
    procedure: 'deployRelease',
    system: 'shop',
    environment: 'live',
    summary: 'release of shop v2',
    requestedBy: 'kim',
    startedAt: GATE.openedAt,
    awaiting: ['security'],
  },
  gate: { ...GATE, ...gate },
  may: { approve: true, reject: true, retract: false, withdraw: false, breakGlass: false },
  ...over,
});

export interface ApprovalStage {
  /** Everything the desk was asked to decide. */
  decided: { id: string; said: Said; by: string }[];
  slackAnswers: { url: string; answer: SlackAnswer }[];
  logged: () => string;
  /** What the next decisions are answered. */
  answerWith(result: DecisionResult | Error): void;
  ask(path: string, init?: RequestInit & { headers?: Record<string, string> }): Promise<{ status: number; headers: Headers; text: string }>; // prettier-ignore
  /** Signs in as a browser does. @returns its cookie */
  signIn(): Promise<string>;
  close(): Promise<void>;
}

/** The approval server with everything behind it replaced: what it lets through, and what it answers. */
export async function openApprovals(
  over: Partial<ApprovalsOptions> & { sight?: GateSight } = {},
): Promise<ApprovalStage> {
  const { sight = sightOf(), ...options } = over;
  const decided: ApprovalStage['decided'] = [];
  const slackAnswers: ApprovalStage['slackAnswers'] = [];
  let logged = '';
  let result: DecisionResult | Error = { code: 'recorded', message: 'Gate security is approved.', gate: { ...sight.gate, outcome: 'approved' } }; // prettier-ignore
  const log = (fields: object, text: string): void => void (logged += `${JSON.stringify(fields)} ${text}\n`);
  const find = async (id: string): Promise<GateSight> => {
    if (id !== ID) throw new Refusal(404, NO_GATE);
    return sight;
  };
  const desk: Desk = {
    find,
    waiting: async () => ({ gates: [sight], unseen: [] }),
    async decide(id, said, { identity }) {
      const found = await find(id);
      if (result instanceof Error) throw result;
      decided.push({ id, said, by: identity.subject });
      return { result, sight: found };
    },
  };
  const server: Server = await serveApprovals({
    ...{ host: '127.0.0.1', port: 0, origin: ORIGIN, desk, sessionSecret: 'a-secret-of-tests', proxies: 1 },
    log: { info: log, warn: log, error: log },
    readToken: async (token) =>
      token.startsWith('good')
        ? { identity: { issuer: 'https://id.example.com', subject: token, groups: [] } }
        : { fault: 'its signature does not verify' },
    signIn: {
      begin: async () => ({
        url: new URL('https://id.example.com/authorize?state=s1'),
        underWay: { state: 's1', nonce: 'n1', verifier: 'v1' },
      }),
      complete: async (returned, { state }) => {
        if (returned.searchParams.get('state') !== state) throw failure('Forbidden', 'the state does not fit');
        return 'good-ana';
      },
    },
    slack: {
      signingSecret: async () => SLACK_SECRET,
      answer: async (url, answer) => void slackAnswers.push({ url, answer }),
    },
    ...options,
  });
  const { port } = server.address() as AddressInfo;
  const ask: ApprovalStage['ask'] = async (path, init = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const cookieOf = (headers: Headers, name: string): string =>
    headers.getSetCookie().map((each) => each.split(';', 1)[0]!).find((each) => each.startsWith(name))!; // prettier-ignore
  return {
    decided,
    slackAnswers,
    ask,
    logged: () => logged,
    answerWith: (next) => void (result = next),
    async signIn() {
      const begun = await ask('/login');
      const cookie = cookieOf(begun.headers, 'windlass_sign_in=');
      const back = await ask('/login/callback?code=c&state=s1', { headers: { cookie } });
      return cookieOf(back.headers, 'windlass_session=');
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}
