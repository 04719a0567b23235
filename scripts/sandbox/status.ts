import { Connection } from '@temporalio/client';
import { alertmanager, alertmanagerAnswers } from './alertmanager.ts';
import { apiReady } from './control-plane.ts';
import { endpointsFile, readEndpoints, type Endpoints } from './endpoints.ts';
import { existsSync } from 'node:fs';
import { nodeReady } from './node.ts';
import { isAlive } from './proc.ts';

export interface Part {
  name: string;
  /** `process`: it lives; `answer`: it serves. */
  kind: 'process' | 'answer';
  state: 'up' | 'down';
  detail: string;
}

/** The state of each part of the sandbox; empty when it was never brought up. */
export async function parts(): Promise<Part[]> {
  if (!existsSync(endpointsFile())) return [];
  const endpoints = readEndpoints();
  const processes = Object.entries(endpoints.processes).map(([name, identity]): Part => {
    const alive = isAlive(identity);
    return {
      name,
      kind: 'process',
      state: alive ? 'up' : 'down',
      detail: alive ? `process ${identity.pid}` : 'its process is gone',
    };
  });
  const answers = await Promise.all(probes(endpoints).map(ask));
  return [...processes, ...answers];
}

/** The running sandbox when every part of it answers, else undefined. */
export async function healthy(): Promise<Endpoints | undefined> {
  const all = await parts();
  return all.length > 0 && all.every(({ state }) => state === 'up') ? readEndpoints() : undefined;
}

interface Probe {
  name: string;
  where: string;
  answers: () => Promise<boolean>;
}

function probes({ temporal, kubernetes, prometheus, skipped }: Endpoints): Probe[] {
  const all: Probe[] = [
    { name: 'Temporal answers', where: temporal.address, answers: () => temporalAnswers(temporal.address) },
    { name: 'Kubernetes answers', where: kubernetes.server, answers: () => apiReady(kubernetes.kubectl) },
    {
      name: 'Prometheus answers',
      where: prometheus.url,
      answers: async () => (await fetch(`${prometheus.url}/-/ready`)).ok,
    },
  ];
  if (!skipped.some((one) => one.startsWith('Alertmanager:')))
    all.push({ name: 'Alertmanager answers', where: alertmanager.url, answers: alertmanagerAnswers });
  // Only the own cluster's node is known by name.
  if (kubernetes.auditLog)
    all.push({ name: 'node ready', where: kubernetes.server, answers: () => nodeReady(new Date(0)) });
  return all;
}

async function ask({ name, where, answers }: Probe): Promise<Part> {
  try {
    return { name, kind: 'answer', state: (await answers()) ? 'up' : 'down', detail: where };
  } catch (error) {
    return { name, kind: 'answer', state: 'down', detail: `${where}: ${(error as Error).message.split('\n')[0]}` };
  }
}

async function temporalAnswers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 3000 });
  await connection.close();
  return true;
}
