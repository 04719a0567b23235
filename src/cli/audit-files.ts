import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { AuditFile } from '../audit/read-segment.ts';
import { CliError } from './errors.ts';

/** Names of an export's files, below its folder. Whatever names them: no other path is written. */
const NAME = /^[a-z0-9-]+\/[a-z0-9-]+\/(segments\/\d{8,}\.jsonl|anchors\/\d{8,}\.json)$/;

export interface AuditFolder {
  segments: AuditFile[];
  anchors: AuditFile[];
  /** Files that are none of an export. */
  ignored: string[];
}

/** Read when its turn comes: an export may be larger than memory. */
const lazily = (file: string, path: string): AuditFile => ({
  file,
  get text() {
    return readFileSync(path, 'utf8');
  },
});

/** Finds the files of an export. @throws CliError `not-found` */
export async function readAuditFolder(folder: string): Promise<AuditFolder> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new CliError(
        'not-found',
        `${folder} cannot be read (${error.code}).`,
        'Fetch an export: windlass audit export --to FOLDER',
      );
    },
  );
  const found: AuditFolder = { segments: [], anchors: [], ignored: [] };
  for (const entry of entries.filter((each) => !each.isDirectory())) {
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(join(folder, sep).length).split(sep).join('/');
    const kind = file.endsWith('.jsonl') ? 'segments' : 'anchors';
    if (NAME.test(file)) found[kind].push(lazily(file, path));
    else found.ignored.push(file);
  }
  return found;
}

export const hasAuditFile = (folder: string, file: string): boolean => existsSync(join(folder, file));

/** Writes a file of an export by rename: it is there in full, or not at all. @throws CliError `server-error` for another name */
export async function writeAuditFile(folder: string, { file, text }: AuditFile): Promise<void> {
  if (!NAME.test(file))
    throw new CliError(
      'server-error',
      `A worker named ${JSON.stringify(file)} as a file of the audit; nothing was written there.`,
    );
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
