import { alertmanager } from './alertmanager.ts';
import { backupKeyFile } from './backup-key.ts';
import type { Cluster } from './cluster.ts';
import type { Endpoints } from './endpoints.ts';
import { identity } from './identity.ts';
import { ports } from './ports.ts';
import { postgres } from './postgres.ts';
import { running, startedNames } from './processes.ts';
import { prometheusUrl, rulesDir } from './prometheus.ts';
import { receivers } from './receivers.ts';
import { redis } from './redis.ts';
import { s3 } from './s3.ts';
import { temporalAddress, temporalNamespace } from './temporal.ts';

/** Says where everything of the sandbox that has just been started is. */
export function describeEndpoints(
  { kubernetes, images, skipped }: Cluster,
  binaries: { temporal: string; 'temporal-test-server': string },
): Endpoints {
  const processes = startedNames().flatMap((name) => {
    const identity = running(name);
    return identity ? [[name, identity] as const] : [];
  });
  const { user, database } = postgres;
  const { endpoint, region, bucket, accessKeyId } = s3;
  return {
    startedAt: new Date().toISOString(),
    temporal: {
      address: temporalAddress,
      ui: `http://127.0.0.1:${ports.temporalUi}`,
      namespace: temporalNamespace,
    },
    kubernetes,
    prometheus: { url: prometheusUrl, rules: rulesDir() },
    alertmanager: {
      url: alertmanager.url,
      intake: { url: alertmanager.intake.url, tokenFile: alertmanager.intake.tokenFile() },
    },
    postgres: { host: '127.0.0.1', port: ports.postgres, user, database, passwordFile: postgres.passwordFile() },
    redis: { host: redis.host, port: redis.port, passwordFile: redis.passwordFile() },
    s3: { endpoint, region, bucket, accessKeyId, secretKeyFile: s3.secretKeyFile() },
    backupKeyFile: backupKeyFile(),
    receivers: { url: receivers.url, smtp: receivers.smtp, log: receivers.log() },
    identity,
    testServer: { path: binaries['temporal-test-server'] },
    temporalBinary: { path: binaries.temporal },
    images,
    skipped,
    processes: Object.fromEntries(processes),
  };
}
