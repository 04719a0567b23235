import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Endpoints } from './endpoints.ts';
import { SandboxError } from './errors.ts';

/** A group of Prometheus's rules, as its documentation has them. */
export interface RuleGroup {
  name: string;
  interval?: string;
  rules: object[];
}

/**
 * Gives the sandbox's Prometheus rules, under a name of their own, and returns when it has them.
 * @throws SandboxError in Prometheus's words when it refuses them; then its former rules stay
 */
export async function writeRules(
  prometheus: Endpoints['prometheus'],
  name: string,
  groups: RuleGroup[],
): Promise<void> {
  const file = fileOf(prometheus, name);
  mkdirSync(prometheus.rules, { recursive: true });
  writeFileSync(`${file}.new`, stringify({ groups }));
  renameSync(`${file}.new`, file);
  try {
    await reload(prometheus);
  } catch (error) {
    // One file that is wrong would stop every later reload.
    rmSync(file);
    throw error;
  }
}

/**
 * Takes the rules of that name away again; none of that name is no fault. An alert of theirs that fires ends only minutes
 * later: to see its end, first write a rule that is not true.
 */
export async function removeRules(prometheus: Endpoints['prometheus'], name: string): Promise<void> {
  rmSync(fileOf(prometheus, name), { force: true });
  await reload(prometheus);
}

function fileOf(prometheus: Endpoints['prometheus'], name: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new SandboxError(`expected a-z, 0-9 and - as a name of rules: ${name}`);
  return join(prometheus.rules, `${name}.yaml`);
}

async function reload({ url }: Endpoints['prometheus']): Promise<void> {
  const answer = await fetch(`${url}/-/reload`, { method: 'POST' });
  if (!answer.ok) throw new SandboxError(`Prometheus refuses its configuration: ${(await answer.text()).trim()}`);
}
