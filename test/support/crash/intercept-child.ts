// Sends one mutating request with the client named, in a process that carries the interception: `node … CLIENT URL`.
import './intercept.ts';

const [client, url] = process.argv.slice(2) as [keyof typeof CLIENTS, string];

const CLIENTS = {
  fetch: () => fetch(url, { method: 'POST', body: 'x' }),
  // The second is made because the first was refused.
  'fetch again': async () => {
    await fetch(url, { method: 'POST', body: 'x' });
    await fetch(url, { method: 'POST', body: 'x' });
  },
  undici: async () => (await import('undici')).fetch(url, { method: 'POST', body: 'x' }),
  kubernetes: async () => {
    const { CoreV1Api, KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'c', server: url, skipTLSVerify: true }],
      users: [{ name: 'u' }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    return config.makeApiClient(CoreV1Api).createNamespacedConfigMap({ namespace: 'n', body: {} });
  },
  s3: async () => {
    const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const s3 = new S3Client({ endpoint: url, region: 'r', forcePathStyle: true, credentials });
    return s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' }));
  },
  // The URL is a connection string here, and the change a transaction.
  postgres: async () => {
    const { default: pg } = await import('pg');
    const session = new pg.Client(url);
    await session.connect();
    await session.query('SELECT 1');
    await session.query('BEGIN');
    await session.query('CREATE TABLE crash_one ()');
    await session.query('CREATE TABLE crash_two ()');
    await session.query('COMMIT');
    await session.end();
  },
};

await CLIENTS[client]();
process.stdout.write('the caller has its answer');
