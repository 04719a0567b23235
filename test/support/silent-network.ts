import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can go silent, as when its node has lost power: nobody answers and no connection ends. */
export interface SilentNetwork {
  host: string;
  port: number;
  silence(): void;
  /** Connections that have come in and that their clients have not given up. */
  clients(): number;
  close(): Promise<void>;
}

export async function startSilentNetwork(to: { host: string; port: number }): Promise<SilentNetwork> {
  const sockets: Socket[] = [];
  const clients = new Set<Socket>();
  let silent = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client.once('end', () => clients.delete(client)).once('close', () => clients.delete(client)));
    const upstream = connect({ ...to, allowHalfOpen: true });
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.push(from.on('error', () => undefined));
      from.on('data', (bytes) => void (silent || other.write(bytes)));
      from.on('end', () => void (silent || other.end()));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    silence: () => void (silent = true),
    clients: () => clients.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
