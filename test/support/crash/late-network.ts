import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoints } from '../../../scripts/sandbox/endpoints.ts';

/** A way to the API server on which one request can be late: sent by its sender, not arrived yet. */
export interface LateNetwork {
  /** The worker's kubeconfig by this way. */
  kubeconfig: string;
  /** Whether a request is held back. */
  holds(): boolean;
  /** Lets what was held back arrive, whatever became of its sender. */
  deliver(): void;
  close(): Promise<void>;
}

/** @param mark a file: what is sent first on any connection after this file exists is held back */
export async function startLateNetwork({ kubernetes }: Endpoints, mark: string): Promise<LateNetwork> {
  const upstream = new URL(kubernetes.server);
  const sockets = new Set<Socket>();
  let held: { to: Socket; bytes: Buffer[] } | undefined;
  let delivered = false;

  const server = createServer((client) => {
    const api = connect(Number(upstream.port), upstream.hostname);
    for (const socket of [client, api]) sockets.add(socket.on('error', () => undefined));
    api.pipe(client);
    client.on('data', (bytes) => {
      if (!held && existsSync(mark)) held = { to: api, bytes: [] };
      if (held?.to === api && !delivered) held.bytes.push(bytes);
      else api.write(bytes);
    });
    // What is on its way arrives although its sender has hung up.
    client.on('close', () => void (held?.to === api || api.destroy()));
    api.on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const folder = mkdtempSync(join(tmpdir(), 'windlass-late-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const here = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, readFileSync(kubernetes.workerKubeconfig, 'utf8').replaceAll(kubernetes.server, here));
  chmodSync(kubeconfig, 0o600);
  return {
    kubeconfig,
    holds: () => held !== undefined,
    deliver() {
      if (!held) throw new Error('expected a request that is held back');
      delivered = true;
      for (const bytes of held.bytes) held.to.write(bytes);
    },
    async close() {
      rmSync(folder, { recursive: true });
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
