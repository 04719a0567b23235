import { Command } from 'commander';
import { rmSync } from 'node:fs';
import { fail } from './errors.ts';
import { exclusively, refuseForeignClaim } from './lock.ts';
import { startClusterPostgres } from './cluster-postgres/start.ts';
import { stateDir } from './paths.ts';
import { report, timed } from './progress.ts';
import { killProcess, restoreProcess } from './restart.ts';
import { readEndpoints, type Endpoints } from './endpoints.ts';
import { parts } from './status.ts';
import { tearDown } from './teardown.ts';
import { up } from './up.ts';
import { runWorker } from '../worker-process.ts';

const program = new Command('sandbox')
  .description(
    'A real Kubernetes, Temporal, Prometheus, Alertmanager, PostgreSQL and S3 on this machine, for development, demo and tests',
  )
  .addHelpText(
    'after',
    `
Variables:
  WINDLASS_STATE   where the sandbox keeps its state (default ~/.local/state/windlass)
  WINDLASS_CACHE   where binaries are kept between runs (default ~/.cache/windlass)
  WINDLASS_<NAME>  a binary to use, e.g. WINDLASS_ETCD, WINDLASS_KUBE_APISERVER

Examples:
  npm run sandbox -- up
  npm run sandbox -- status --json
  npm run sandbox -- worker
  npm run sandbox -- down`,
  );

program
  .command('up')
  .description('bring everything up; the first time it installs and builds what is missing (about 10 min on two cores)')
  .option('--context <name>', 'use this cluster of your kubeconfig (kind, k3d, minikube, …) instead of starting one')
  .option('--json', 'print where everything is as JSON')
  .action(async ({ json, context }: { json?: boolean; context?: string }) => show(await up(context), json));

program
  .command('status')
  .description('say which parts are up; exits 1 when any is not')
  .option('--json', 'print the parts as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const all = await parts();
    if (json) console.log(JSON.stringify(all, null, 2));
    else if (all.length === 0) console.log('the sandbox is not running: npm run sandbox -- up');
    else for (const { name, state, detail } of all) console.log(`${state.padEnd(5)} ${name.padEnd(26)} ${detail}`);
    process.exitCode = all.length > 0 && all.every(({ state }) => state === 'up') ? 0 : 1;
  });

program
  .command('worker')
  .description('run a worker of the sandbox here, until Ctrl-C; its catalog is systems/')
  .action(async () => {
    process.exitCode = await runWorker(readEndpoints());
  });

program
  .command('postgres')
  .argument('[namespace]', 'where; made when it is not there', 'data')
  .description(
    'run a PostgreSQL in the cluster too (StatefulSet, Service, Secret); it stays over `down` and goes with `reset`',
  )
  .option('--json', 'print where it is as JSON')
  .action(async (namespace: string, { json }: { json?: boolean }) => {
    const { host, port, user, passwordFile, passwordReference } = await exclusively(() =>
      startClusterPostgres(namespace),
    );
    if (json) return console.log(JSON.stringify({ host, port, user, passwordFile, passwordReference }, null, 2));
    console.log(`PostgreSQL    host=${host} port=${port} user=${user}, from this machine and from pods`);
    console.log(`Password      ${passwordFile}, in a catalog ${passwordReference}`);
  });

program
  .command('down')
  .description('end everything and leave nothing behind but the data')
  .action(() => exclusively(down));

program
  .command('reset')
  .description('down, delete the data (not the cache), up')
  .option('--json', 'print where everything is as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    await exclusively(async () => {
      await down();
      rmSync(stateDir(), { recursive: true, force: true });
    });
    show(await up(), json);
  });

program
  .command('restart')
  .argument('<process>', 'as `status` names it, e.g. kube-apiserver')
  .description('kill one process of the sandbox (SIGKILL) and start it again, to see what the rest makes of it')
  .action((name: string) =>
    exclusively(async () => {
      await killProcess(name);
      await timed(`${name} is back`, () => restoreProcess(name));
    }),
  );

async function down(): Promise<void> {
  refuseForeignClaim();
  await timed('down', tearDown);
}

function show(endpoints: Endpoints, json = false): void {
  if (json) return console.log(JSON.stringify(endpoints, null, 2));
  const { temporal, kubernetes, prometheus, alertmanager, skipped } = endpoints;
  for (const one of skipped) report(`skipped: ${one}`);
  console.log(`Temporal UI   ${temporal.ui}`);
  console.log(`Prometheus    ${prometheus.url}`);
  console.log(`Alertmanager  ${alertmanager.url}`);
  console.log(`Kubernetes    ${kubernetes.kubectl} --kubeconfig ${kubernetes.adminKubeconfig} get pods -A`);
  console.log(`Everything    ${stateDir()}/endpoints.json`);
}

try {
  await program.parseAsync();
} catch (error) {
  fail('sandbox', error);
}
