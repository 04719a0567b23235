import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, kubectl } from './api.ts';
import { repositoryDir } from './paths.ts';

const namespace = 'windlass';
const serviceAccount = 'windlass-worker';

/** Applies the worker's shipped permissions to the cluster. */
export async function applyWorkerPermissions(binary: string): Promise<void> {
  await apply(binary, account);
  const dir = join(repositoryDir, 'deploy', 'rbac');
  const files = existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith('.yaml')) : [];
  const shipped = files.sort().map((file) => readFileSync(join(dir, file), 'utf8'));
  if (shipped.length > 0) await apply(binary, shipped.join('\n---\n'));
}

/** A token of the worker's service account, valid for 30 days; each start of the sandbox makes a new one. */
export async function workerToken(binary: string): Promise<string> {
  return (
    await kubectl(binary, ['create', 'token', serviceAccount, '--namespace', namespace, '--duration=720h'])
  ).trim();
}

const account = `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${serviceAccount}, namespace: ${namespace} }
`;
