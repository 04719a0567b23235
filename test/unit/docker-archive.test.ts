import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { writeDockerArchive, writeLayer, type Layer } from '../../scripts/sandbox/docker-archive.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'archive-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

async function entriesOf(tarPath: string): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  const archive = createReadStream(tarPath).pipe(extract());
  for await (const entry of archive) {
    expect(entries.has(entry.header.name)).toBe(false);
    entries.set(entry.header.name, await buffer(entry));
  }
  return entries;
}

async function layer(name: string, content: string): Promise<Layer> {
  const source = join(folder, `${name}.source`);
  writeFileSync(source, content);
  return writeLayer(join(folder, `${name}.tar`), [
    { path: 'app', kind: 'directory' },
    { path: 'app/run', kind: 'file', mode: 0o755, source },
  ]);
}

async function twoImages(tarPath: string): Promise<void> {
  const layers = [await layer('base', 'node'), await layer('app', 'server')];
  const image = { layers, command: ['run'], workingDirectory: '/app', user: '65534:65534' };
  await writeDockerArchive(tarPath, [
    { ...image, tag: 'docker.io/windlass/sample:v1', env: { APP_VERSION: 'v1' } },
    { ...image, tag: 'docker.io/windlass/sample:v2', env: { APP_VERSION: 'v2' } },
  ]);
}

test('images that share their layers store them once', async () => {
  await twoImages(join(folder, 'images.tar'));
  const names = [...(await entriesOf(join(folder, 'images.tar'))).keys()];
  expect(names.filter((name) => name.endsWith('/layer.tar'))).toHaveLength(2);
});

test('every image names its tag, its environment and the digests of its layers as they are stored', async () => {
  await twoImages(join(folder, 'images.tar'));
  const entries = await entriesOf(join(folder, 'images.tar'));
  const manifest = JSON.parse(entries.get('manifest.json')!.toString()) as {
    Config: string;
    RepoTags: string[];
    Layers: string[];
  }[];
  expect(manifest.map((image) => image.RepoTags)).toEqual([
    ['docker.io/windlass/sample:v1'],
    ['docker.io/windlass/sample:v2'],
  ]);
  for (const [i, image] of manifest.entries()) {
    const config = entries.get(image.Config)!;
    expect(image.Config).toBe(`${sha256(config)}.json`);
    const parsed = JSON.parse(config.toString());
    expect(parsed.config).toMatchObject({
      User: '65534:65534',
      Env: expect.arrayContaining([`APP_VERSION=v${i + 1}`]),
    });
    expect(parsed.rootfs.diff_ids).toEqual(image.Layers.map((path) => `sha256:${sha256(entries.get(path)!)}`));
  }
});

test('equal contents give equal bytes, whenever they were written', async () => {
  await twoImages(join(folder, 'first.tar'));
  const before = readFileSync(join(folder, 'first.tar'));
  const source = join(folder, 'again.source');
  writeFileSync(source, 'node');
  utimesSync(source, 1, 1);
  const again = await writeLayer(join(folder, 'again.tar'), [
    { path: 'app', kind: 'directory' },
    { path: 'app/run', kind: 'file', mode: 0o755, source },
  ]);
  expect(again.sha256).toBe((await layer('base', 'node')).sha256);
  await twoImages(join(folder, 'second.tar'));
  expect(readFileSync(join(folder, 'second.tar')).equals(before)).toBe(true);
});

test('a layer that changes by one byte has another digest', async () => {
  expect((await layer('a', 'node')).sha256).not.toBe((await layer('b', 'nodf')).sha256);
});
