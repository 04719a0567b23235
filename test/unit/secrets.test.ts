import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecretResolver, redact } from '../../src/adapters/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'windlass-secrets-'));
writeFileSync(join(folder, 'token'), 'from-a-file\n');
writeFileSync(join(folder, 'empty'), '\n');

const asked: string[] = [];
const secrets = createSecretResolver({
  env: { SLACK_URL: 'from-the-environment', BLANK: '' },
  kubernetes: async (namespace, secret, key) => {
    asked.push(`${namespace}/${secret}#${key}`);
    return secret === 'chat' ? 'from-a-cluster' : undefined;
  },
});

test.each([
  ['env:SLACK_URL', 'from-the-environment'],
  [`file:${folder}/token`, 'from-a-file'],
  ['kubernetes:ops/chat#url', 'from-a-cluster'],
])('a reference resolves to its value, without the line break of its file: %s', async (reference, value) => {
  expect(await secrets.resolve(reference)).toBe(value);
});

test('a Kubernetes reference asks for exactly its namespace, Secret and key', async () => {
  asked.length = 0;
  await secrets.resolve('kubernetes:ops/chat#slack.url');
  expect(asked).toEqual(['ops/chat#slack.url']);
});

test.each(['env:ABSENT', 'env:BLANK', `file:${folder}/absent`, `file:${folder}/empty`, 'kubernetes:ops/other#url'])(
  'a missing secret is named by its reference and not retried: %s',
  async (reference) => {
    await expect(secrets.resolve(reference)).rejects.toMatchObject({
      type: 'SecretMissing',
      nonRetryable: true,
      message: expect.stringContaining(`secret ${reference}: `),
    });
  },
);

test.each(['https://hooks.example.com/T0/B0/verysecret', 'verysecret'])(
  'a pasted secret in place of a reference is not repeated: %s',
  async (pasted) => {
    const error: Error = await secrets.resolve(pasted).then(
      () => Promise.reject(new Error('resolved')),
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ type: 'SecretMissing' });
    expect(error.message).not.toContain('verysecret');
  },
);

describe('redaction', () => {
  const url = 'https://hooks.example.com/services/T0/B0/a b?key=verysecret';

  test.each([
    `POST ${url} failed`,
    `POST ${encodeURIComponent(url)} failed`,
    'no route /services/T0/B0/a%20b?key=verysecret here',
  ])('removes a URL, whole, encoded, or by its path: %s', (text) => {
    const redacted = redact(text, [url]);
    expect(redacted).toContain('[redacted]');
    expect(redacted).not.toMatch(/verysecret|T0/);
  });

  test('leaves a text without secrets as it is', () => {
    expect(redact('HTTP 404 / not found', [url, ''])).toBe('HTTP 404 / not found');
  });
});
