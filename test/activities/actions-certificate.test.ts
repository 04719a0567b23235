import { createServer, type AddressInfo, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createActionBench } from '../support/action-bench.ts';
import { makeCertificate, serveCertificate, type TestCertificate } from '../support/certificates.ts';

// Certificates of OpenSSL, shown by TLS servers of Node.
const bench = createActionBench();
const authority = makeCertificate({ subject: 'authority', names: 'DNS:authority.test', days: 100, signs: true });
const servers: { close(): unknown }[] = [];
const trusted = getCACertificates('default');

beforeAll(() => setDefaultCACertificates([...trusted, authority.cert]));
afterAll(() => {
  setDefaultCACertificates(trusted);
  servers.forEach((server) => server.close());
});

const serve = (names: string, days: number): Promise<number> => show(makeCertificate({ names, days, by: authority }));

async function show(...chain: [TestCertificate, ...TestCertificate[]]): Promise<number> {
  const { server, port } = await serveCertificate(...chain);
  servers.push(server);
  return port;
}
const check = (port: number, more: object = {}) =>
  bench.run('checkCertificate', { host: '127.0.0.1', port, name: 'lab.test', ...more });

test('checkCertificate finds one well that is trusted, for the name, and long enough valid', async () => {
  const port = await serve('DNS:lab.test', 40);
  expect(await check(port)).toEqual({
    ...{ ok: true, faults: [], daysLeft: 39, subject: 'windlass-test', issuer: 'authority' },
    validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  expect(
    await bench.run('checkCertificate', { host: '127.0.0.1', port: await serve('IP:127.0.0.1', 40) }),
  ).toMatchObject({ ok: true });
});

test('checkCertificate tells one that ends soon, and that has ended', async () => {
  const port = await serve('DNS:lab.test', 9);
  expect(await check(port)).toMatchObject({ ok: false, daysLeft: 8, faults: [expect.stringMatching(/ends on .*, in 8 days: renew it$/)] }); // prettier-ignore
  expect(await check(port, { daysLeft: 8 })).toMatchObject({ ok: true });
  expect(await check(await serve('DNS:lab.test', -3))).toMatchObject({
    ...{ ok: false, daysLeft: -4 },
    faults: [expect.stringMatching(/^certificate of 127.0.0.1:\d+ ended on /)],
  });
});

test('checkCertificate tells a signer that has ended: browsers refuse what is valid itself', async () => {
  const between = makeCertificate({
    subject: 'between',
    names: 'DNS:between.test',
    days: -3,
    by: authority,
    signs: true,
  });
  const own = makeCertificate({ names: 'DNS:lab.test', days: 40, by: between });
  expect((await check(await show(own, between))).faults).toEqual([
    expect.stringMatching(/is not trusted: one that signed it: cert has expired$/),
  ]);
});

test('checkCertificate tells another name and a signer that nobody trusts, both at once', async () => {
  const { faults } = await check(await show(makeCertificate({ names: 'DNS:other.test', days: 40 })));
  expect(faults).toEqual([
    expect.stringMatching(/is for another name: .*lab.test.*other.test/),
    expect.stringMatching(/is not trusted: depth zero self signed cert$/),
  ]);
  await expect(check(await serve('DNS:other.test', 40), { orFail: true })).rejects.toMatchObject({
    type: 'ChecksFailed',
    message: expect.stringContaining('is for another name'),
  });
});

test('checkCertificate tells when nobody answers, or not with TLS', async () => {
  const plain: Server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  servers.push(plain);
  const { port } = plain.address() as AddressInfo;
  expect(await check(port)).toMatchObject({ ok: false, daysLeft: 0, faults: [expect.stringMatching(/does not answer with TLS: /)] }); // prettier-ignore
  await new Promise((resolve) => plain.close(resolve));
  expect(await check(port)).toMatchObject({ ok: false, faults: [expect.stringMatching(/ECONNREFUSED/)] });
});
