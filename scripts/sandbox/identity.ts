import { join } from 'node:path';
import { writeEndpoints, type Endpoints } from './endpoints.ts';
import { CLIENT } from './identity/provider.ts';
import { sourceDir } from './paths.ts';
import { approvalPort, ports } from './ports.ts';
import { ready, running, start } from './processes.ts';

export const identity = { issuer: `http://127.0.0.1:${ports.identity}`, clientId: CLIENT };

/** Starts the OpenID provider where the people of the sandbox log in. */
export async function startIdentity(): Promise<void> {
  const program = join(sourceDir, 'identity', 'main.ts');
  const redirect = `http://127.0.0.1:${approvalPort}/login/callback`;
  start({
    name: 'identity',
    command: process.execPath,
    args: [program, '--port', String(ports.identity), '--redirect', redirect],
  });
  await ready('identity', async () => (await fetch(`${identity.issuer}/.well-known/openid-configuration`)).ok);
}

/** Adds it to a sandbox that was brought up before there was one. */
export async function addIdentity(found: Endpoints): Promise<Endpoints> {
  if (found.identity && running('identity')) return found;
  await startIdentity();
  const endpoints = { ...found, identity, processes: { ...found.processes, identity: running('identity')! } };
  writeEndpoints(endpoints);
  return endpoints;
}
