import { startAlertmanager } from './alertmanager.ts';
import { ensureBackupKey } from './backup-key.ts';
import { allBinaries, resolveBinaries } from './binaries/index.ts';
import { refreshCluster, startCluster, type Cluster } from './cluster.ts';
import { describeEndpoints } from './describe.ts';
import { ensureClusterPrograms, ensurePostgres, ensureRedis } from './debian-packages.ts';
import { writeEndpoints, type Endpoints } from './endpoints.ts';
import { SandboxError } from './errors.ts';
import { useCluster } from './existing-cluster.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { addIdentity, startIdentity } from './identity.ts';
import { claimMachine, exclusively } from './lock.ts';
import { stateDir } from './paths.ts';
import { startPostgres } from './postgres.ts';
import { startedNames } from './processes.ts';
import { report, timed } from './progress.ts';
import { startPrometheus } from './prometheus.ts';
import { startReceivers } from './receivers.ts';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';
import { healthy } from './status.ts';
import { tearDown } from './teardown.ts';
import { startTemporal } from './temporal.ts';

/**
 * Brings the sandbox up and returns where everything is. When it is up already, it only brings the changes of this
 * checkout in.
 * @param context use the cluster of this context instead of starting one
 * @throws SandboxError saying what is in the way
 */
export async function up(context?: string): Promise<Endpoints> {
  refuseImpossible(context);
  return exclusively(async () => {
    const found = await healthy();
    if (found) return refresh(found, context);
    claimMachine();
    if (startedNames().length > 0) report('cleaning up after a sandbox that did not end by `down`…');
    await tearDown();
    await refuseTakenPorts(context === undefined);
    claimMachine();
    return timed('up', () => startOrEnd(context));
  });
}

/** A start that fails ends what it began, so that a failure leaves nothing but its logs. */
async function startOrEnd(context?: string): Promise<Endpoints> {
  try {
    return await (context ? startBeside(context) : startOwn());
  } catch (error) {
    report('could not start: ending what was started…');
    await tearDown();
    throw error;
  }
}

function refuseImpossible(context?: string): void {
  const own = process.platform === 'linux' && process.getuid?.() === 0;
  if (!own && !context) {
    throw new SandboxError(
      'a Kubernetes of its own needs Linux and root. Two ways on:\n' +
        '  as root on Linux:            sudo npm run sandbox -- up\n' +
        '  with a cluster that exists:  npm run sandbox -- up --context NAME   (kind, k3d, minikube, …)',
    );
  }
  // The longest socket below the state folder must fit into the 107 bytes of a unix socket's address.
  if (stateDir().length > 70) throw new SandboxError(`WINDLASS_STATE is too long for unix sockets: ${stateDir()}`);
}

async function refresh(found: Endpoints, context?: string): Promise<Endpoints> {
  const { adminContext } = found.kubernetes;
  if (context && adminContext !== context) {
    throw new SandboxError(`the sandbox is up with the cluster ${adminContext}: first npm run sandbox -- down`);
  }
  await refreshCluster(found);
  const endpoints = await addIdentity(found);
  report('already up');
  return endpoints;
}

async function startOwn(): Promise<Endpoints> {
  // Installing mostly waits for the network, building for the processors.
  const [binaries, programs, redisServer] = await Promise.all([
    resolveBinaries(allBinaries),
    ensurePostgres(),
    ensureRedis(),
    ensureClusterPrograms(),
  ]);
  const [cluster] = await Promise.all([
    startCluster(binaries),
    startReceivers(),
    startIdentity(),
    startTemporal(binaries.temporal),
    startPostgres(programs),
    startRedis(redisServer),
    startS3(binaries.versitygw),
    startAlertmanager(binaries.alertmanager),
  ]);
  await startPrometheus(binaries.prometheus, cluster.discovery);
  return finish(cluster, binaries);
}

/** Starts all but Kubernetes; what cannot be had on this machine is listed as skipped, except Temporal. */
async function startBeside(context: string): Promise<Endpoints> {
  const binaries = await resolveBinaries(['kubectl', 'temporal', 'temporal-test-server']);
  const cluster = await useCluster(context, binaries.kubectl);
  await Promise.all([startTemporal(binaries.temporal), startReceivers(), startIdentity()]);
  const optional = {
    PostgreSQL: async () => startPostgres(await ensurePostgres()),
    Redis: async () => startRedis(await ensureRedis()),
    S3: async () => startS3((await resolveBinaries(['versitygw'])).versitygw),
    Alertmanager: async () => startAlertmanager((await resolveBinaries(['alertmanager'])).alertmanager),
    Prometheus: async () => startPrometheus((await resolveBinaries(['prometheus'])).prometheus, cluster.discovery),
  };
  const skipped = [...cluster.skipped];
  for (const [name, begin] of Object.entries(optional)) {
    try {
      await begin();
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      skipped.push(`${name}: ${error.message.split('\n')[0]}`);
    }
  }
  return finish({ ...cluster, skipped }, binaries);
}

function finish(cluster: Cluster, binaries: { temporal: string; 'temporal-test-server': string }): Endpoints {
  ensureBackupKey();
  const endpoints = describeEndpoints(cluster, binaries);
  writeEndpoints(endpoints);
  return endpoints;
}
