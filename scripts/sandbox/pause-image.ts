import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { withWorkFolder } from './binaries/cache.ts';
import { writeDockerArchive, writeLayer } from './docker-archive.ts';
import { cacheDir, sourceDir } from './paths.ts';
import { run } from './run.ts';

/** The image that holds a pod's namespaces: built here, because the sandbox uses no image registry. */
export const pauseImage = 'docker.io/local/pause:1';

/** Builds the pause image as a docker archive, once per cache. Returns the archive's path. */
export async function buildPauseImage(): Promise<string> {
  const archive = join(cacheDir(), 'images', 'pause-1.tar');
  if (existsSync(archive)) return archive;
  mkdirSync(join(archive, '..'), { recursive: true });
  await withWorkFolder(async (folder) => {
    const source = join(folder, 'pause');
    const build = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', source, '.'];
    await run('go', build, {
      cwd: join(sourceDir, 'go', 'pause'),
      env: { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    });
    const layer = await writeLayer(join(folder, 'layer'), [{ path: 'pause', kind: 'file', mode: 0o755, source }]);
    const image = { tag: pauseImage, layers: [layer], env: {}, command: ['/pause'], workingDirectory: '/' };
    await writeDockerArchive(join(folder, 'archive'), [{ ...image, user: '65535:65535' }]);
    renameSync(join(folder, 'archive'), archive);
  });
  return archive;
}
