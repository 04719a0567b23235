import { readFile } from 'node:fs/promises';
import { failure } from './failure.ts';

/** Reads the value behind a reference of the catalog (`secretReference` in src/contracts/catalog.ts). */
export interface SecretResolver {
  /** @throws SecretMissing naming the reference, never a value; Unavailable when it cannot be asked now */
  resolve(reference: string): Promise<string>;
}

/** Reads one key of a Kubernetes Secret; undefined when the Secret or the key is not there. */
export type ReadKubernetesSecret = (namespace: string, secret: string, key: string) => Promise<string | undefined>;

interface Sources {
  env: Readonly<Record<string, string | undefined>>;
  /** Absent when the worker has no kubeconfig: `kubernetes:` references are then missing, and say so. */
  kubernetes?: ReadKubernetesSecret;
}

/** Resolves `env:NAME`, `file:/path` and `kubernetes:namespace/secret#key`. Trailing line breaks are not part of a secret. */
export function createSecretResolver({ env, kubernetes }: Sources): SecretResolver {
  return {
    async resolve(reference) {
      const [scheme, place] = split(reference);
      const value = await read(scheme, place);
      const secret = value?.replace(/[\r\n]+$/, '');
      if (!secret) throw missing(reference, hintFor(scheme));
      return secret;
    },
  };

  async function read(scheme: string, place: string): Promise<string | undefined> {
    if (scheme === 'env') return env[place];
    if (scheme === 'file') return readIfThere(place);
    if (scheme === 'kubernetes') {
      const [, namespace, secret, key] = /^([^/]+)\/([^#]+)#(.+)$/.exec(place) ?? [];
      if (namespace && secret && key) return kubernetes?.(namespace, secret, key);
    }
    throw missing(`${scheme}:…`, 'expected env:NAME, file:/path or kubernetes:namespace/secret#key');
  }
}

function split(reference: string): [string, string] {
  const colon = reference.indexOf(':');
  // Without a scheme the text may be a secret that someone pasted: it must not be quoted.
  if (colon < 0) throw missing('(no reference)', 'expected env:NAME, file:/path or kubernetes:namespace/secret#key');
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

function hintFor(scheme: string): string {
  if (scheme === 'env') return 'the variable is not set, or empty, in the environment of the worker';
  if (scheme === 'file') return 'the file is absent, unreadable or empty on the machine of the worker';
  return 'the Secret or its key is absent, or the worker may not read it';
}

const missing = (reference: string, hint: string) => failure('SecretMissing', `secret ${reference}: ${hint}`);

/** The text with each secret replaced. Also finds its URL-encoded form and, of a URL, the path and query, which are what is secret. */
export function redact(text: string, secrets: readonly string[]): string {
  const needles = secrets.flatMap(formsOf).filter((form) => form.length >= 4);
  needles.sort((a, b) => b.length - a.length);
  return needles.reduce((redacted, needle) => redacted.replaceAll(needle, '[redacted]'), text);
}

function formsOf(secret: string): string[] {
  const forms = [secret, encodeURIComponent(secret)];
  if (!URL.canParse(secret)) return forms;
  const { pathname, search } = new URL(secret);
  return [...forms, pathname + search, pathname];
}
