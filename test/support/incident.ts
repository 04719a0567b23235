import type { IncidentAlert, IncidentSlice } from '../../src/contracts/handle-incident.ts';
import { incidents } from '../../src/contracts/incident-catalog.ts';
import { slice as serviceSlice } from './live.ts';
import { runbookActivities, worldOf, type RunbookWorld } from './runbook.ts';

/** A policy with every word of the catalog. */
export const POLICY = {
  zone: 'Europe/Vienna',
  severities: [
    {
      name: 'P1',
      respondWithin: '15m',
      escalateEvery: '10m',
      when: [
        { fact: 'errors', above: 10 },
        { label: 'severity', is: 'page' },
      ],
    },
    { name: 'P3', respondWithin: 'next-business-day', escalateEvery: 'next-business-day' },
  ],
  facts: [{ name: 'errors', query: 'up' }],
  onCall: [
    { name: 'primary', roles: ['lead'], channels: ['pager'] },
    { name: 'secondary', roles: ['devops'] },
    { name: 'vp', roles: ['vp'] },
    { name: 'cto', roles: ['cto'] },
  ],
  alerts: [{ alert: 'Broken', diagnose: 'diagnose', runbook: 'repair', resolved: 'well' }],
  quietFor: '5m',
  notify: ['ops'],
  status: ['status'],
};

export const RUNBOOKS = `
diagnose: { description: Looks, steps: [{ name: see, action: look, with: { key: a } }] }
repair:
  description: Sets a
  changes: [service]
  steps: [{ name: setA, action: set, with: { key: a, value: 1 }, undo: own }]
well:
  description: Is it over?
  steps: [{ until: { action: look, with: { key: a }, is: output.value == 1, within: 1h, holdsFor: 10m } }]
up:
  description: Is it up for ten minutes?
  steps: [{ wait: 10m }, { name: see, action: look, with: { key: b } }]
`;

export interface IncidentWorld extends RunbookWorld {
  facts: Record<string, number>;
  measured: number;
  former: string[];
  kept: string[];
  /** Channels and texts of notices. */
  told: { channels: string[]; text: string }[];
  policy: Record<string, unknown>;
}

export const incidentWorld = (over: Partial<IncidentWorld> = {}): IncidentWorld => ({
  ...worldOf(RUNBOOKS),
  facts: {},
  measured: 0,
  former: [],
  kept: [],
  told: [],
  policy: POLICY,
  ...over,
});

/** Activities of an incident in memory, those of its runbooks included. */
export function incidentActivities(world: IncidentWorld): Record<string, (argument: never) => Promise<unknown>> {
  const { policies: _, spec: __, service, ...environment } = serviceSlice();
  const people = [
    { name: 'ana', roles: ['lead'] },
    { name: 'dan', roles: ['devops'] },
    { name: 'vic', roles: ['vp'] },
    { name: 'cat', roles: ['cto'] },
  ];
  return {
    ...runbookActivities(world),
    loadIncident: async (): Promise<IncidentSlice> => ({
      ...environment,
      service,
      people,
      policy: incidents.parse(world.policy),
    }),
    measureFacts: async () => {
      world.measured++;
      return { facts: world.facts, missing: [] };
    },
    formerAlerts: async () => world.former,
    keepEvidence: async ({ body }: { body: string }) => {
      world.kept.push(body);
      return { uri: 's3://evidence/x', sha256: '', bytes: body.length, contentType: 'text/markdown' };
    },
    notify: async ({ channels, text }: { channels: string[]; text: string }) => {
      world.told.push({ channels, text });
      return { delivered: channels, failed: [] };
    },
  };
}

/** An alert as the intake passes it on. */
export const alertOf = (over: Partial<IncidentAlert> = {}): IncidentAlert => ({
  fingerprint: 'f1',
  status: 'firing',
  startsAt: '2026-11-26T10:00:00Z',
  labels: { alertname: 'Broken' },
  annotations: { summary: 'it is broken' },
  ...over,
});
