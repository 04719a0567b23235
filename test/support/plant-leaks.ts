import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client, type Connection } from '@temporalio/client';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Endpoints } from '../../scripts/sandbox/endpoints.ts';
import { inState } from '../../scripts/sandbox/paths.ts';
import { removeRules, writeRules } from '../../scripts/sandbox/rules.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createTestDatabase } from './test-database.ts';
import { startWorker } from './worker.ts';

/**
 * Leaks a value in every store of `stores.ts`, so that a search which finds nothing else is known to find what is there.
 * @param value letters, digits and dashes
 * @returns what takes it all away again; the receivers and Prometheus keep theirs until the sandbox goes
 */
export async function plantLeaks(
  endpoints: Endpoints,
  connection: Connection,
  value: string,
): Promise<() => Promise<void>> {
  const { temporal, kubernetes, prometheus, receivers, s3 } = endpoints;
  const wrapped = gzipSync(`a body with ${value}`).toString('base64');
  const undo: (() => unknown)[] = [];

  const client = new Client({ connection, namespace: temporal.namespace });
  const workflowId = `planted/${value.slice(-8)}`;
  const start = { workflowId, workflowType: 'planted', taskQueue: 'nobody', args: [{ wrapped }] };
  await client.workflow.start('planted', start);
  undo.push(() => client.workflow.getHandle(workflowId).terminate('it was a test of the scanner'));
  const action = { type: 'startWorkflow' as const, ...start };
  await client.schedule.create({ scheduleId: workflowId, spec: {}, state: { paused: true }, action });
  undo.push(() => client.schedule.getHandle(workflowId).delete());

  const log = inState('logs', `planted-${process.pid}.jsonl`);
  writeFileSync(log, `${JSON.stringify({ err: { stack: `Error: ${value}\n  at somewhere` } })}\n`);
  undo.push(() => rmSync(log));

  const database = await createTestDatabase();
  undo.push(() => database.remove());
  const session = await database.connect();
  await session.query('CREATE SCHEMA windlass_audit');
  await session.query('CREATE TABLE windlass_audit.records (line text)');
  await session.query('INSERT INTO windlass_audit.records VALUES ($1)', [JSON.stringify({ wrapped })]);
  await session.end();

  const { endpoint, region, bucket: Bucket, accessKeyId, secretKeyFile } = s3;
  const credentials = { accessKeyId, secretAccessKey: readFileSync(secretKeyFile, 'utf8').trim() };
  const objects = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  const Key = workflowId;
  const { VersionId } = await objects.send(new PutObjectCommand({ Bucket, Key, Body: gzipSync(value) }));
  undo.push(() => objects.send(new DeleteObjectCommand({ Bucket, Key, VersionId })).finally(() => objects.destroy()));

  const rules = [{ record: 'windlass_planted', expr: 'vector(1)', labels: { planted: value } }];
  await writeRules(prometheus, 'planted', [{ name: 'planted', interval: '1s', rules }]);
  undo.push(() => removeRules(prometheus, 'planted'));

  // As a label of the metrics of a worker with all its secrets, kept as those of every other one are.
  const worker = await startWorker({ taskQueue: value });
  undo.push(() => rmSync(worker.logFile));
  await worker.stop();

  await fetch(`${receivers.url}/webhook/planted`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: wrapped }) }); // prettier-ignore

  const kubectl = (args: string[], input?: string) =>
    execFileSync(kubernetes.kubectl, ['--kubeconfig', kubernetes.adminKubeconfig, '-n', 'default', ...args], { input, stdio: ['pipe', 'pipe', 'pipe'] }); // prettier-ignore
  const name = `planted-${process.pid}`;
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { wrapped } };
  kubectl(['create', '-f', '-'], JSON.stringify(map));
  undo.push(() => kubectl(['delete', 'configmap', name]));

  // What is there only after a while: in the list of runs, in the series.
  const query = `WorkflowId = "${workflowId}"`;
  await waitFor('the planted run', async () => (await client.workflow.count(query)).count === 1, {
    timeoutSeconds: 30,
  });
  const series = `${prometheus.url}/api/v1/query?query=windlass_planted`;
  await waitFor('the planted series', async () => (await (await fetch(series)).text()).includes(value), { timeoutSeconds: 30 }); // prettier-ignore

  return async () => {
    const failed = (await Promise.allSettled(undo.map(async (each) => each()))).filter(
      ({ status }) => status === 'rejected',
    );
    if (failed.length > 0)
      throw new AggregateError(failed.map((each) => (each as PromiseRejectedResult).reason as Error));
  };
}
