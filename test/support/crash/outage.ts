import { readEndpoints, writeEndpoints } from '../../../scripts/sandbox/endpoints.ts';
import { readProc } from '../../../scripts/sandbox/proc.ts';
import { end, ready, running, start } from '../../../scripts/sandbox/processes.ts';

/** Processes of the sandbox that may die under a procedure, and how it shows that each is back. */
const PROBES = {
  temporal: async () => (await fetch(readEndpoints().temporal.ui)).ok,
  'kube-apiserver': async () => {
    // Any answer: without a certificate it is a refusal.
    const { server } = readEndpoints().kubernetes;
    await fetch(`${server}/readyz`).catch((error: Error & { cause?: { code?: string } }) => {
      if (error.cause?.code === 'ECONNREFUSED') throw error;
    });
    return true;
  },
};

export type Victim = keyof typeof PROBES;

/** Kills processes of the running sandbox with SIGKILL, all at once, leaves them dead for a while and starts them again. */
export async function outageOf(victims: Victim[], deadForMs: number): Promise<void> {
  const dead = victims.map((name) => {
    const identity = running(name);
    if (!identity) throw new Error(`expected ${name} to run`);
    const [command, ...args] = readProc(identity.pid, 'cmdline').split('\0').slice(0, -1);
    return { name, identity, spec: { name, command: command!, args } };
  });
  await end(
    dead.map(({ identity }) => identity),
    10,
    'SIGKILL',
  );
  await new Promise((resolve) => setTimeout(resolve, deadForMs));
  for (const { spec } of dead) start(spec);
  await Promise.all(dead.map(({ name }) => ready(name, PROBES[name], 90)));
  const endpoints = readEndpoints();
  const reborn = Object.fromEntries(dead.flatMap(({ name }) => [[name, running(name)!]]));
  writeEndpoints({ ...endpoints, processes: { ...endpoints.processes, ...reborn } });
}
