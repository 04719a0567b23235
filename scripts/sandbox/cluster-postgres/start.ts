import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { apply, kubectl } from '../api.ts';
import { importImages } from '../containerd.ts';
import { readEndpoints } from '../endpoints.ts';
import { SandboxError } from '../errors.ts';
import { inState } from '../paths.ts';
import { waitFor } from '../wait.ts';
import { buildPostgresImage, POSTGRES_USER_ID } from './image.ts';
import { NAME, PASSWORD_KEY, PORT, postgresManifests, SUPERUSER } from './manifests.ts';

/** A PostgreSQL that runs in the sandbox's cluster, as clients on this machine and in its pods reach it. */
export interface ClusterPostgres {
  namespace: string;
  /** Address of its Service: the node of the cluster is this machine. */
  host: string;
  port: number;
  user: string;
  passwordFile: string;
  /** Reference of the catalog to its password. */
  passwordReference: string;
  /** Of its pods; it also has `psql` and a shell. */
  image: string;
}

/**
 * Runs a PostgreSQL in a namespace of the sandbox's cluster and returns when it is ready: a StatefulSet `postgres` of one
 * pod, with its Service and a Secret. Repeating it changes nothing. Data and password stay in the state folder: they
 * outlive the pod, the namespace and `down`.
 * @param namespace made when it is not there
 * @throws SandboxError when no sandbox is up, or its cluster is not its own
 */
export async function startClusterPostgres(namespace: string): Promise<ClusterPostgres> {
  const { kubernetes } = readEndpoints();
  if (!kubernetes.auditLog)
    throw new SandboxError(
      "a PostgreSQL in the cluster needs the sandbox's own cluster: its data is on the node's disk",
    );
  const { tarPath, tag } = await buildPostgresImage();
  await importImages(tarPath);
  const data = dataFolder(namespace);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  chownSync(data, POSTGRES_USER_ID, POSTGRES_USER_ID);
  const passwordFile = join(folderOf(namespace), 'password');
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const password = readFileSync(passwordFile, 'utf8');
  const items = postgresManifests({ namespace, image: tag, password, data });
  await apply(kubernetes.kubectl, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const inNamespace = (...args: string[]) => kubectl(kubernetes.kubectl, ['--namespace', namespace, ...args]);
  await inNamespace('rollout', 'status', `statefulset/${NAME}`, '--timeout=120s');
  const host = await inNamespace('get', 'service', NAME, '--output', 'jsonpath={.spec.clusterIP}');
  const address = { host, port: PORT, user: SUPERUSER };
  // kube-proxy hears of a pod that is ready a moment later than we do.
  await waitFor(`PostgreSQL at ${host}`, () => answers({ ...address, password }), { timeoutSeconds: 60 });
  const passwordReference = `kubernetes:${namespace}/${NAME}#${PASSWORD_KEY}`;
  return { namespace, ...address, passwordFile, passwordReference, image: tag };
}

/** Deletes the namespace, and then the data and the password that were kept for it. */
export async function removeClusterPostgres(namespace: string): Promise<void> {
  await kubectl(readEndpoints().kubernetes.kubectl, ['delete', 'namespace', namespace, '--ignore-not-found', '--wait']);
  rmSync(folderOf(namespace), { recursive: true, force: true });
}

async function answers(address: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...address, database: 'postgres', connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    return true;
  } finally {
    await client.end();
  }
}

const folderOf = (namespace: string): string => inState('cluster-postgres', namespace);
const dataFolder = (namespace: string): string => join(folderOf(namespace), 'data');
