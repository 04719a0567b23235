import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CliError } from './errors.ts';

/** Flags every command takes. */
export interface ConnectionFlags {
  address?: string;
  namespace?: string;
  profile?: string;
  taskQueue?: string;
}

/** Which server, and who said so. */
export interface ServerChoice {
  address: string;
  namespace: string;
  from: 'flag' | 'configuration' | 'sandbox' | 'default';
  /** Base of the Temporal UI's addresses, without a slash at the end; absent when nobody told it. */
  ui?: string;
}

/** What `@temporalio/envconfig` read of TEMPORAL_* variables and the profile file. */
export interface Configured {
  address?: string;
  namespace?: string;
}

interface SandboxEndpoints {
  temporal?: { address?: string; ui?: string; namespace?: string };
  identity?: { issuer?: string };
}

/** Flags win over the configuration, that over a running sandbox, and that over Temporal's default address. */
export function chooseServer(
  flags: ConnectionFlags,
  configured: Configured,
  sandbox: SandboxEndpoints | undefined,
  env: NodeJS.ProcessEnv,
): ServerChoice {
  const local = sandbox?.temporal;
  const address = flags.address ?? configured.address ?? local?.address ?? 'localhost:7233';
  const from = flags.address ? 'flag' : configured.address ? 'configuration' : local?.address ? 'sandbox' : 'default';
  const ofSandbox = local?.address === address;
  const ui = env['TEMPORAL_UI_URL'] ?? (ofSandbox ? local?.ui : undefined);
  return {
    address,
    namespace: flags.namespace ?? configured.namespace ?? (ofSandbox ? local?.namespace : undefined) ?? 'default',
    from,
    ...(ui ? { ui: ui.replace(/\/+$/, '') } : {}),
  };
}

/** Where what is kept between commands lies on this machine. */
export const stateFolder = (env: NodeJS.ProcessEnv): string =>
  env['WINDLASS_STATE'] ?? join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'windlass');

/** The endpoints file of a sandbox on this machine, when one is up. */
export function readSandbox(env: NodeJS.ProcessEnv): SandboxEndpoints | undefined {
  const file = join(stateFolder(env), 'sandbox', 'endpoints.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SandboxEndpoints;
  } catch (error) {
    throw new CliError(
      'configuration-invalid',
      `${file} cannot be read as JSON: ${(error as Error).message}.`,
      'Name the server with --address, or start the sandbox again.',
    );
  }
}

export const taskQueueOf = (flags: ConnectionFlags, env: NodeJS.ProcessEnv): string =>
  flags.taskQueue ?? env['WINDLASS_TASK_QUEUE'] ?? 'windlass';

/** Who runs the command: `--as`, else WINDLASS_USER, else the user of the operating system. */
export function whoAmI(as: string | undefined, env: NodeJS.ProcessEnv): string {
  return as ?? env['WINDLASS_USER'] ?? userInfo().username;
}
