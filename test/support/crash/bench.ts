import { ListObjectVersionsCommand, S3Client, type ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { readFileSync } from 'node:fs';
import { readEndpoints, type Endpoints } from '../../../scripts/sandbox/endpoints.ts';
import { normalize } from './calls.ts';
import { connectCluster, type Cluster } from './cluster.ts';
import { connectDatabases, type Databases } from './databases.ts';

/** What runs share: connections to the sandbox, seen from outside the worker. */
export interface Bench {
  endpoints: Endpoints;
  auditLog: string;
  client: Client;
  cluster: Cluster;
  databases: Databases;
  slackUrl: string;
  /** Notices that named this environment, in the order of arrival. */
  notices(environment: string): Promise<string[]>;
  /** Evidence of this environment, each object with its number of versions; and catalogs that were kept twice. */
  evidence(environment: string): Promise<string[]>;
  close(): Promise<void>;
}

/** @param name of the channel that receives the notices */
export async function connectBench(name: string): Promise<Bench> {
  const endpoints = readEndpoints();
  const { auditLog } = endpoints.kubernetes;
  if (!auditLog) throw new Error('expected a cluster with an audit log: effects are counted from it');
  const connection = await Connection.connect({ address: endpoints.temporal.address });
  const client = new Client({ connection, namespace: endpoints.temporal.namespace });
  const { endpoint, region, bucket, accessKeyId, secretKeyFile } = endpoints.s3;
  const secretAccessKey = readFileSync(secretKeyFile, 'utf8').trim();
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  const path = `/slack/${name}`;
  const databases = await connectDatabases(endpoints, name);

  return {
    endpoints,
    auditLog,
    client,
    cluster: connectCluster(endpoints),
    databases,
    slackUrl: `${endpoints.receivers.url}${path}`,
    async notices(environment) {
      const response = await fetch(`${endpoints.receivers.url}/requests?path=${encodeURIComponent(path)}`);
      const requests = (await response.json()) as { outcome: string; body: { text?: string } }[];
      return requests
        .filter(({ outcome, body }) => outcome !== 'refused' && names(body.text, environment))
        .map(({ body }) =>
          normalize(body.text!, environment).replaceAll(/(\b\d+ (ms|s|min|h|d)\b ?)+/g, '<duration> '),
        );
    },
    async evidence(environment) {
      // By id: the object at the end of a page is the first one of the next page, too.
      const versions = new Map<string, Set<string>>();
      for await (const { Versions = [] } of pagesOf(s3, bucket))
        for (const { Key = '', VersionId = '' } of Versions)
          versions.set(Key, (versions.get(Key) ?? new Set()).add(VersionId));
      return [...versions]
        .map(([key, ids]) => [key, ids.size] as const)
        .filter(([key, count]) => key.includes(`/${environment}/`) || (key.startsWith('catalogs/') && count > 1))
        .map(([key, count]) => `object ${normalize(key, environment)}${versionsOf(key, count)}`);
    },
    async close() {
      s3.destroy();
      await databases.close();
      await connection.close();
    },
  };
}

/** A dump that was under way when its worker died is uploaded again: no backup is there before its manifest. */
const versionsOf = (key: string, count: number): string => (key.endsWith('.dump') ? '' : `: ${count} version(s)`);

/** One environment may begin like another. */
const names = (text: string | undefined, environment: string): boolean =>
  new RegExp(`(?<![\\w-])${environment}(?![\\w-])`).test(text ?? '');

async function* pagesOf(s3: S3Client, bucket: string): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, ...from }));
    yield page;
    if (!page.IsTruncated) return;
    const { NextKeyMarker, NextVersionIdMarker } = page;
    from = {
      ...(NextKeyMarker ? { KeyMarker: NextKeyMarker } : {}),
      ...(NextVersionIdMarker ? { VersionIdMarker: NextVersionIdMarker } : {}),
    };
  }
}
