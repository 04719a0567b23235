import { createHash } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { report } from '../progress.ts';
import { run } from '../run.ts';
import { moveToCache, withWorkFolder } from './cache.ts';
import { catalog, type BinaryName, type BinaryRecipe } from './catalog.ts';

/** Hosts that did not answer in this run: asked once, not once per binary. */
const unreachable = new Set<string>();

/** The content of a file; undefined, and said, when its host does not give it: the next source is tried. */
export async function fetchFrom(url: string, name: BinaryName, milliseconds: number): Promise<Buffer | undefined> {
  const { host } = new URL(url);
  if (unreachable.has(host)) return undefined;
  try {
    return await fetchAll(url, milliseconds);
  } catch (error) {
    unreachable.add(host);
    report(`${host} gives no ${name} (${reason(error)}): trying the next source`);
    return undefined;
  }
}

/**
 * Downloads an official release into the cache.
 * @returns undefined when there is none or its host cannot be reached, so that the next source is tried
 * @throws Error when what arrives does not have the published checksum
 */
export async function download(name: BinaryName): Promise<string | undefined> {
  const { download: source }: BinaryRecipe = catalog[name];
  if (!source) return undefined;
  const checksums = await fetchFrom(source.checksums, name, 10_000);
  if (!checksums) return undefined;
  report(`downloading ${name} ${catalog[name].version}…`);
  const content = await fetchFrom(source.url, name, 300_000);
  if (!content) return undefined;
  verify(basename(source.url), content, checksums.toString());
  return withWorkFolder(async (folder) => {
    const file = join(folder, basename(source.url));
    writeFileSync(file, content);
    if (source.member) await run('tar', ['-xf', file, '-C', folder, source.member]);
    const binary = source.member ? join(folder, source.member) : file;
    chmodSync(binary, 0o755);
    return moveToCache(name, binary);
  });
}

/** @throws Error when `checksums` does not list the SHA-256 of `content` for `file` */
export function verify(file: string, content: Buffer, checksums: string): void {
  const actual = createHash('sha256').update(content).digest('hex');
  const bare = /^[0-9a-f]{64}$/.test(checksums.trim()) ? checksums.trim() : undefined;
  const lines = checksums.split('\n').map((line) => line.trim().split(/\s+\*?/));
  const expected = bare ?? lines.find(([, name]) => name === file)?.[0];
  if (actual !== expected) {
    throw new Error(`${file} has SHA-256 ${actual}, its publisher lists ${expected ?? 'none'}: not used`);
  }
}

async function fetchAll(url: string, timeoutMilliseconds: number): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
