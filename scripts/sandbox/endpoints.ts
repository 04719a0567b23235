import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { SandboxError } from './errors.ts';
import { inState } from './paths.ts';
import type { ProcessIdentity } from './proc.ts';

/** Where everything of a running sandbox is. Secrets are named by file, never by value. */
export interface Endpoints {
  /** ISO 8601 time at which `up` ended. */
  startedAt: string;
  temporal: { address: string; ui: string; namespace: string };
  kubernetes: {
    server: string;
    adminKubeconfig: string;
    /** Kubeconfig with the worker's shipped, least permissions. */
    workerKubeconfig: string;
    /** Context name in `workerKubeconfig`. */
    context: string;
    adminContext: string;
    /** JSON lines of every change to the cluster; absent on a cluster that is not the sandbox's own. */
    auditLog?: string;
    kubectl: string;
  };
  /** `rules`: the folder of its rule files. */
  prometheus: { url: string; rules: string };
  /** It sends alerts to `intake`, with the token as `Authorization: Bearer`. */
  alertmanager: { url: string; intake: { url: string; tokenFile: string } };
  postgres: { host: string; port: number; user: string; database: string; passwordFile: string };
  redis: { host: string; port: number; passwordFile: string };
  s3: { endpoint: string; region: string; bucket: string; accessKeyId: string; secretKeyFile: string };
  /** Key that backups are encrypted with: 32 bytes in base64. */
  backupKeyFile: string;
  /** `smtp`: the URL of the mail server among them. */
  receivers: { url: string; smtp: string; log: string };
  /** OpenID provider of the people of the sandbox; the password is the name. */
  identity: { issuer: string; clientId: string };
  /** Temporal's time-skipping server, for tests. */
  testServer: { path: string };
  /** The Temporal server's own binary, for tests that start one of their own. */
  temporalBinary: { path: string };
  /** Sample images in the cluster, by tag. */
  images: string[];
  /** What this sandbox lacks, in words; empty on a complete one. The addresses of a skipped part lead nowhere. */
  skipped: string[];
  /** By name, as in `logs/<name>.log`. */
  processes: Record<string, ProcessIdentity>;
}

export const endpointsFile = () => inState('endpoints.json');

/**
 * Reads where the running sandbox is.
 * @throws SandboxError when no sandbox is up
 */
export function readEndpoints(): Endpoints {
  if (!existsSync(endpointsFile())) throw new SandboxError('the sandbox is not running: npm run sandbox -- up');
  return JSON.parse(readFileSync(endpointsFile(), 'utf8')) as Endpoints;
}

/** Writes the file by rename: a reader sees all of it or nothing. */
export function writeEndpoints(endpoints: Endpoints): void {
  writeFileSync(`${endpointsFile()}.new`, JSON.stringify(endpoints, null, 2));
  renameSync(`${endpointsFile()}.new`, endpointsFile());
}
