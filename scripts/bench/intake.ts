import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Endpoints } from '../sandbox/endpoints.ts';
import { SERVICE, SYSTEM } from './catalog.ts';

/** Not the port that Alertmanager sends to: another worker may have it. */
const ADDRESS = '127.0.0.1:18811';
export const ALERT = 'BenchAlert';

/** What makes the worker of a bench take alerts, and keeps what it tells people apart from others' messages. */
export const intakeEnvironment = ({ alertmanager, receivers }: Endpoints): NodeJS.ProcessEnv => ({
  WINDLASS_ALERTS_TOKEN: `file:${alertmanager.intake.tokenFile}`,
  WINDLASS_ALERTS_ADDRESS: ADDRESS,
  WINDLASS_SLACK_URL: `${receivers.url}/slack/bench`,
});

export interface BenchAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  fingerprint: string;
}

/** One that begins now, with the labels and texts that a rule of Prometheus would give it. */
export const alertOf = (environment: string, instance = 'shop-0'): BenchAlert => ({
  status: 'firing',
  labels: {
    ...{ alertname: ALERT, system: SYSTEM, environment, service: SERVICE, severity: 'critical' },
    ...{ instance, job: 'bench', namespace: environment },
  },
  annotations: {
    summary: `The shop does not answer at ${instance}`,
    description: 'More than half of the requests of the last minute failed, or took longer than they may.',
    runbook_url: 'https://runbooks.example.com/shop-does-not-answer',
  },
  startsAt: new Date().toISOString(),
  fingerprint: randomBytes(8).toString('hex'),
});

export interface Posted {
  /** Just before the webhook was sent, milliseconds since the epoch; up to 1 ms early. */
  sentAt: number;
  answeredMs: number;
  ok: boolean;
}

/** Sends one webhook in the format of Alertmanager, with the token of the intake. */
export async function post({ alertmanager }: Endpoints, alerts: BenchAlert[]): Promise<Posted> {
  const token = readFileSync(alertmanager.intake.tokenFile, 'utf8').trim();
  const body = JSON.stringify({ version: '4', receiver: 'windlass', groupKey: '{}', status: 'firing', alerts });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const sentAt = Date.now();
  const answer = await fetch(`http://${ADDRESS}/alerts`, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return { sentAt, answeredMs: Date.now() - sentAt, ok: answer.ok };
}
