import { join } from 'node:path';
import { importImages } from './containerd.ts';
import { buildSampleImages, type SampleImages } from './image.ts';
import { cacheDir } from './paths.ts';
import { report } from './progress.ts';

/** Builds the sample application's images into the cache, unless they are there and nothing has changed. */
export function buildSamples(): Promise<SampleImages> {
  return buildSampleImages({ cacheDir: join(cacheDir(), 'images'), log: report });
}

/** Brings the sample application, as it is in this checkout now, into the own cluster. Returns the images' tags. */
export async function importSamples(): Promise<string[]> {
  const { tarPath, tags } = await buildSamples();
  await importImages(tarPath);
  return tags;
}
