import { readFileSync } from 'node:fs';
import { readEndpoints, writeEndpoints } from './endpoints.ts';
import { SandboxError } from './errors.ts';
import { inState } from './paths.ts';
import { end, running, startAgain } from './processes.ts';
import { parts } from './status.ts';
import { waitFor } from './wait.ts';

/**
 * Kills one process of the running sandbox, without a chance to clean up.
 * @param name as in `Endpoints.processes`, e.g. `kube-apiserver`, `temporal`
 * @throws SandboxError when the sandbox has no such process
 */
export async function killProcess(name: string): Promise<void> {
  const { processes } = readEndpoints();
  if (!(name in processes)) {
    throw new SandboxError(`the sandbox has no process ${name}; there are ${Object.keys(processes).join(', ')}`);
  }
  const identity = running(name);
  if (identity) await end([identity], 0, 'SIGKILL');
}

/** Starts a killed process again, just as it was, and returns when the sandbox answers again. */
export async function restoreProcess(name: string): Promise<void> {
  const identity = running(name) ?? startAgain(name);
  const endpoints = readEndpoints();
  writeEndpoints({ ...endpoints, processes: { ...endpoints.processes, [name]: identity } });
  const answering = async () => {
    if (!running(name)) throw new Error(`${name} ended again; its log ends: ${endOfLog(name)}`);
    const answers = (await parts()).filter(({ kind }) => kind === 'answer');
    return answers.every(({ state }) => state === 'up');
  };
  await waitFor(`${name} to be back`, answering, { timeoutSeconds: 60 });
}

const endOfLog = (name: string): string => readFileSync(inState('logs', `${name}.log`), 'utf8').slice(-1500);
