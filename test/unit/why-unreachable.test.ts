import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { whyUnreachable } from '../../src/adapters/temporal/why-unreachable.ts';
import { makeCertificate, serveCertificate } from '../support/certificates.ts';

const servers: { close(): unknown }[] = [];
afterAll(() => servers.map((server) => server.close()));

const ca = makeCertificate({ subject: 'ca', names: 'DNS:ca', days: 1, signs: true });
const trusting = { serverRootCACertificate: Buffer.from(ca.cert) };
const withCertificate = async (names: string, days = 1): Promise<string> => {
  const { server, port } = await serveCertificate(makeCertificate({ names, days, by: ca }));
  servers.push(server);
  return `localhost:${port}`;
};
async function inTheClear(): Promise<string> {
  const server: Server = createServer((socket) => socket.on('error', () => undefined).end('what is that?\r\n'));
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `localhost:${(server.address() as AddressInfo).port}`;
}

test('a server whose certificate fits is none that cannot be reached', async () => {
  const address = await withCertificate('DNS:localhost');
  expect(await whyUnreachable({ address, tls: trusting })).toBeUndefined();
});

test('a certificate for another name is told, and by which name it fits', async () => {
  const address = await withCertificate('DNS:temporal.example.com');
  expect(await whyUnreachable({ address, tls: trusting })).toEqual({
    trust: true,
    text: 'its certificate is for another name: set TEMPORAL_TLS_SERVER_NAME',
  });
  const tls = { ...trusting, serverNameOverride: 'temporal.example.com' };
  expect(await whyUnreachable({ address, tls })).toBeUndefined();
});

test('a certificate that has expired is told', async () => {
  const address = await withCertificate('DNS:localhost', -1);
  expect(await whyUnreachable({ address, tls: trusting })).toEqual({
    trust: true,
    text: 'its certificate has expired',
  });
});

test('a server that speaks no TLS is told from one that speaks it', async () => {
  expect(await whyUnreachable({ address: await inTheClear(), tls: trusting })).toEqual({
    trust: true,
    text: 'it does not speak TLS: unset TEMPORAL_TLS',
  });
  expect(await whyUnreachable({ address: await inTheClear() })).toBeUndefined();
  const address = await withCertificate('DNS:localhost');
  expect(await whyUnreachable({ address })).toEqual({ trust: true, text: 'it speaks TLS: set TEMPORAL_TLS=true' });
});

test('where nothing listens, that is what is told', async () => {
  expect(await whyUnreachable({ address: '127.0.0.1:1' })).toEqual({ trust: false, text: 'nothing listens there' });
  expect(await whyUnreachable({ address: 'nowhere.invalid:7233' })).toMatchObject({ trust: false });
});
