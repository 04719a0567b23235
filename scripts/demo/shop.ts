import { Client, Connection } from '@temporalio/client';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encryptionOf } from '../../src/adapters/temporal/data-converter.ts';
import type { Endpoints } from '../sandbox/endpoints.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** Ends what an interrupted demo left running: its namespace goes, so nothing of it can be finished or taken back. */
export async function endFormerDemo({ temporal }: Endpoints): Promise<void> {
  const connection = await Connection.connect({ address: temporal.address });
  const { workflow } = new Client({
    connection,
    namespace: temporal.namespace,
    ...(await encryptionOf(process.env)),
  });
  const query = `OpsSystem = 'sandbox' AND OpsEnvironment = 'local' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, runId } of workflow.list({ query }))
    await workflow.getHandle(workflowId, runId).terminate('a new demo begins');
  await connection.close();
}

/** `kubectl` as the administrator of the sandbox's cluster; what it printed. */
export const administrator =
  ({ kubernetes: { kubectl, adminKubeconfig } }: Endpoints) =>
  async (...args: string[]): Promise<string> =>
    (await run(kubectl, ['--kubeconfig', adminKubeconfig, ...args])).stdout;

/**
 * Puts the shop at v1 into a fresh namespace `shop`, with the worker's shipped permissions on it.
 * @returns the URL of its Service, which this machine reaches
 */
export async function freshShop(endpoints: Endpoints): Promise<string> {
  const admin = administrator(endpoints);
  await admin('delete', 'namespace', 'shop', '--ignore-not-found', '--wait=true', '--timeout=120s');
  await admin('create', 'namespace', 'shop');
  await admin('apply', '-f', join(ROOT, 'deploy/rbac/bindings/shop.yaml'));
  await admin('apply', '-f', join(import.meta.dirname, 'shop.yaml'));
  for (const name of ['shop', 'maintenance-page'])
    await admin('-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=120s');
  const address = await admin('-n', 'shop', 'get', 'service', 'shop', '-o', 'jsonpath={.spec.clusterIP}');
  return `http://${address}/`;
}
