import { GetObjectCommand, ListBucketsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { execFile } from 'node:child_process';
import { createReadStream, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Endpoints } from '../../scripts/sandbox/endpoints.ts';
import { inState } from '../../scripts/sandbox/paths.ts';
import { workerMetricsFolder } from './worker-metrics.ts';

// Everything that procedures leave behind in the sandbox, store by store, as bytes to search.

/** A piece of a store: where it is, and what is in it. */
export interface Left {
  where: string;
  content: string | Uint8Array;
}

export type Store = (endpoints: Endpoints, connection: Connection) => AsyncIterable<Left>;

const run = promisify(execFile);

async function namespacesOf({ workflowService }: Connection): Promise<string[]> {
  const { namespaces } = await workflowService.listNamespaces({ pageSize: 1000 });
  return namespaces.map(({ namespaceInfo }) => namespaceInfo!.name!).filter((name) => name !== 'temporal-system');
}

type Page = { nextPageToken?: Uint8Array | null };
/** All pages of a list of Temporal's API. */
async function* pages<T extends Page>(read: (nextPageToken: Uint8Array) => Promise<T>): AsyncGenerator<T> {
  for (let token: Uint8Array = new Uint8Array(); ;) {
    const page = await read(token);
    yield page;
    token = page.nextPageToken ?? new Uint8Array();
    if (token.length === 0) return;
  }
}

/** Runs, open and closed, of every namespace: what a list shows of them (memo, search attributes), and their histories as the server sends them. */
async function* histories(_: Endpoints, connection: Connection): AsyncGenerator<Left> {
  const service = connection.workflowService;
  const { WorkflowExecutionInfo } = temporal.api.workflow.v1;
  const { History } = temporal.api.history.v1;
  for (const namespace of await namespacesOf(connection))
    for await (const { executions } of pages((nextPageToken) =>
      service.listWorkflowExecutions({ namespace, nextPageToken, pageSize: 500 }),
    ))
      // prettier-ignore
      yield* sideBySide(executions, async (info) => {
        const { execution } = info;
        const where = `${namespace} ${execution!.workflowId} ${execution!.runId}`;
        const parts = [WorkflowExecutionInfo.encode(info).finish()];
        const read = (nextPageToken: Uint8Array) => service.getWorkflowExecutionHistory({ namespace, execution: execution!, nextPageToken }); // prettier-ignore
        for await (const { history } of pages(read)) parts.push(History.encode(history!).finish());
        return { where, content: Buffer.concat(parts) };
      });
}

/** Reads some at the same time. One that is gone by now is passed over: what was deleted leaks nothing. */
async function* sideBySide<T>(all: T[], read: (each: T) => Promise<Left>): AsyncGenerator<Left> {
  const absent = (error: Error & { code?: unknown }): undefined => {
    if (error.code !== NOT_FOUND && error.name !== 'NoSuchKey') throw error;
  };
  for (let at = 0; at < all.length; at += AT_ONCE)
    for (const left of await Promise.all(all.slice(at, at + AT_ONCE).map((each) => read(each).catch(absent)))) if (left) yield left; // prettier-ignore
}
const AT_ONCE = 12;
/** Of gRPC. */
const NOT_FOUND = 5;

async function* schedules(_: Endpoints, connection: Connection): AsyncGenerator<Left> {
  const service = connection.workflowService;
  const { DescribeScheduleResponse } = temporal.api.workflowservice.v1;
  for (const namespace of await namespacesOf(connection))
    for await (const page of pages((nextPageToken) => service.listSchedules({ namespace, nextPageToken })))
      for (const { scheduleId } of page.schedules) {
        const found = await service.describeSchedule({ namespace, scheduleId: scheduleId! });
        yield {
          where: `${namespace} ${scheduleId}`,
          content: DescribeScheduleResponse.encode(found).finish(),
        };
      }
}

/**
 * Of the workers, and of every other process of the sandbox except PostgreSQL, which logs the statements of the tests
 * themselves. The kubelet takes a container's log away with the container, between list and look too.
 */
async function* logs(): AsyncGenerator<Left> {
  const folder = inState('logs');
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.startsWith('postgres')) continue;
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (content) yield { where: file.slice(folder.length + 1), content };
  }
}

/** Rows of the audit, in whichever databases there is one. */
async function* audit({ postgres }: Endpoints): AsyncGenerator<Left> {
  const { host, port, user, passwordFile, database } = postgres;
  const password = (await readFile(passwordFile, 'utf8')).trim();
  const inside = async <T extends object>(of: string, sql: string): Promise<T[]> => {
    const client = new pg.Client({ host, port, user, password, database: of });
    client.on('error', () => undefined);
    await client.connect();
    return client.query<T>(sql).then(({ rows }) => rows).finally(() => client.end()); // prettier-ignore
  };
  const all = await inside<{ datname: string }>(database, 'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate'); // prettier-ignore
  for (const { datname } of all) {
    const tables = await inside<{ name: string }>(datname, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'windlass_audit'"); // prettier-ignore
    for (const { name } of tables)
      for (const { row } of await inside<{ row: string }>(
        datname,
        `SELECT t::text AS row FROM windlass_audit."${name}" t`,
      ))
        yield { where: `${datname}.${name}`, content: row };
  }
}

/** Only dumps are longer; they are encrypted, and a chunk of theirs is no other than the next. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Every version of every object, also of what was deleted. */
async function* objects({ s3 }: Endpoints): AsyncGenerator<Left> {
  const { endpoint, region, accessKeyId, secretKeyFile } = s3;
  const credentials = { accessKeyId, secretAccessKey: (await readFile(secretKeyFile, 'utf8')).trim() };
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  try {
    for (const { Name: Bucket } of (await client.send(new ListBucketsCommand({}))).Buckets ?? []) {
      const seen = new Set<string>();
      for (let from = {}, more = true; more;) {
        const page = await client.send(new ListObjectVersionsCommand({ Bucket, ...from }));
        // That at the end of a page is the first of the next one, too.
        const fresh = (page.Versions ?? []).filter(({ VersionId }) => !seen.has(VersionId!) && seen.add(VersionId!));
        yield* sideBySide(fresh, async ({ Key, VersionId, Size }) => {
          const Range = Size ? `bytes=0-${Math.min(Size, MOST_BYTES) - 1}` : undefined;
          const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId, Range }));
          const content = await Body!.transformToByteArray();
          return { where: `${Bucket}/${Key}`, content: Buffer.concat([Buffer.from(JSON.stringify([Key, Metadata])), content]) }; // prettier-ignore
        });
        more = page.IsTruncated ?? false;
        from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      }
    }
  } finally {
    client.destroy();
  }
}

/** What Prometheus has scraped: the names and values of all labels. */
async function* metrics({ prometheus }: Endpoints): AsyncGenerator<Left> {
  const query = new URLSearchParams({ 'match[]': '{__name__=~".+"}' });
  const answer = await fetch(`${prometheus.url}/api/v1/series?${query.toString()}`);
  yield { where: 'series', content: await answer.text() };
}

/** What the workers of the tests showed to Prometheus at their end, which nobody scrapes there. */
async function* workers(): AsyncGenerator<Left> {
  const folder = workerMetricsFolder();
  for (const name of readdirSync(folder)) yield { where: name, content: await readFile(join(folder, name)) };
}

/**
 * What people and vendors were told. The receivers themselves leave out the headers `authorization`, `cookie` and
 * `proxy-authorization`; PagerDuty's API wants its key in the body, as `routing_key`.
 */
async function* messages({ receivers }: Endpoints): AsyncGenerator<Left> {
  for (const line of (await readFile(receivers.log, 'utf8')).split('\n').filter(Boolean)) {
    const request = JSON.parse(line) as { path: string; body: unknown };
    if (request.path.startsWith('/pagerduty/') && request.body !== null && typeof request.body === 'object')
      delete (request.body as { routing_key?: unknown }).routing_key;
    yield { where: request.path, content: JSON.stringify(request) };
  }
}

interface Item {
  kind: string;
  metadata: { namespace?: string; name: string };
}

/** Objects of every kind in every namespace, except what is there to hold secrets; events too. */
async function* cluster({ kubernetes }: Endpoints): AsyncGenerator<Left> {
  const kubectl = (...args: string[]) =>
    run(kubernetes.kubectl, ['--kubeconfig', kubernetes.adminKubeconfig, ...args], { maxBuffer: 2 ** 30 });
  const { stdout } = await kubectl('api-resources', '--verbs=list', '-o', 'name');
  const kinds = stdout.split('\n').filter((kind) => kind && kind !== 'secrets' && !kind.endsWith('.metrics.k8s.io'));
  const { items } = JSON.parse((await kubectl('get', kinds.join(), '-A', '-o', 'json')).stdout) as { items: Item[] };
  for (const item of items)
    yield { where: `${item.kind} ${item.metadata.namespace}/${item.metadata.name}`, content: JSON.stringify(item) };
}

/** What was asked of the API server to change, except Secrets. A run of all tests writes more than a string can hold. */
async function* changes({ kubernetes }: Endpoints): AsyncGenerator<Left> {
  if (!kubernetes.auditLog) return;
  let at = 0;
  const kept: string[] = [];
  const piece = (): Left => ({ where: `up to line ${at}`, content: kept.splice(0).join('\n') });
  for await (const line of createInterface({ input: createReadStream(kubernetes.auditLog) })) {
    at++;
    if (!line.includes('"resource":"secrets"')) kept.push(line);
    if (kept.length === 1000) yield piece();
  }
  yield piece();
}

export const STORES = {
  histories,
  schedules,
  logs,
  audit,
  objects,
  metrics,
  workers,
  messages,
  cluster,
  changes,
} as const;
