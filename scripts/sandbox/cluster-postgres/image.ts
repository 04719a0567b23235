import { existsSync, realpathSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findInPath } from '../binaries/debian.ts';
import { ensurePostgres } from '../debian-packages.ts';
import { STANDARD_PATH, writeDockerArchive, writeLayer, type LayerEntry } from '../docker-archive.ts';
import { SandboxError } from '../errors.ts';
import { asTheyAre, foldersOf, keptArchive, sharedLibraries } from '../image-archive.ts';
import { cacheDir } from '../paths.ts';
import { report } from '../progress.ts';
import { run } from '../run.ts';

const own = (name: string): string => join(import.meta.dirname, 'files', name);
/** Part of the archive's name, so that a change of its form makes a new one. */
const FORMAT = 1;
/** Of the user `postgres` in files/passwd: PostgreSQL refuses to run as root. */
export const POSTGRES_USER_ID = 999;
/** Where a volume belongs. */
export const POSTGRES_HOME = '/var/lib/postgresql';

const PROGRAMS = ['postgres', 'initdb', 'pg_isready', 'psql'];
/** What the entry point calls, and `sleep` for those who wait for a server. */
const TOOLS = ['rm', 'mv', 'sleep'];

/** One docker-archive with one image. */
export interface PostgresImage {
  tarPath: string;
  tag: string;
}

/** Where this machine has a PostgreSQL; a server finds its files at the same places in the image. */
interface Installation {
  programs: string;
  libraries: string;
  share: string;
  version: string;
}

/**
 * Builds an image of the PostgreSQL that is installed on this machine, its extensions included, without a registry or an
 * engine. The result stays in the cache under a hash of its contents.
 * @throws SandboxError when PostgreSQL can be neither found nor installed
 */
export async function buildPostgresImage(): Promise<PostgresImage> {
  const installed = await findInstallation();
  const tag = `docker.io/windlass/postgres:${installed.version.split('.')[0]}`;
  const files = await filesOf(installed);
  const entries = [...foldersOf(files, { tmp: 0o1777, [SOCKETS]: 0o1777, [POSTGRES_HOME.slice(1)]: 0o755 }), ...files];
  const tarPath = await keptArchive({
    ...{ cacheDir: join(cacheDir(), 'images'), family: 'postgres-image', form: [FORMAT, tag], entries },
    async write(archive, scratch) {
      report(`building an image of PostgreSQL ${installed.version}…`);
      const image = {
        tag,
        layers: [await writeLayer(join(scratch, 'layer'), entries)],
        env: { PATH: `${installed.programs}:${STANDARD_PATH}`, PGDATA: `${POSTGRES_HOME}/data/server` },
        command: ['/entrypoint.sh'],
        workingDirectory: POSTGRES_HOME,
        user: `${POSTGRES_USER_ID}:${POSTGRES_USER_ID}`,
        // SIGTERM waits for all clients to leave.
        stopSignal: 'SIGINT' as const,
      };
      await writeDockerArchive(archive, [image]);
    },
  });
  return { tarPath, tag };
}

/** Debian's PostgreSQL looks for sockets there. */
const SOCKETS = 'var/run/postgresql';

async function findInstallation(): Promise<Installation> {
  // PATH may have links to the programs, and the server finds its files from where it really is.
  const programs = dirname(realpathSync(join(await ensurePostgres(), 'postgres')));
  const ask = async (what: string): Promise<string> => (await run(join(programs, 'pg_config'), [what])).trim();
  const [libraries, share, version] = await Promise.all(['--pkglibdir', '--sharedir', '--version'].map(ask));
  return { programs, libraries: libraries!, share: share!, version: version!.replace(/^PostgreSQL ([\d.]+).*$/, '$1') };
}

async function filesOf({ programs, libraries, share }: Installation): Promise<LayerEntry[]> {
  const binaries = PROGRAMS.map((name) => join(programs, name));
  const tools = {
    'bin/sh': inPath('dash', 'sh'),
    ...Object.fromEntries(TOOLS.map((name) => [`bin/${name}`, inPath(name)])),
  };
  // Compiling queries needs LLVM, which is larger than all the rest; without the file the server does without it.
  const modules = (await below(libraries)).filter((path) => path.endsWith('.so') && !path.endsWith('/llvmjit.so'));
  const data = (await below(share)).filter((path) => !path.startsWith(`${share}/man/`));
  const zones = (await below('/usr/share/zoneinfo')).filter((path) => !/\/zoneinfo\/(posix|right)\//.test(path));
  return [
    ...asTheyAre([...binaries, ...(await sharedLibraries([...binaries, ...Object.values(tools), ...modules]))], 0o755),
    ...asTheyAre([...modules, ...data, ...zones]),
    ...Object.entries({ ...tools, 'entrypoint.sh': own('entrypoint.sh') }).map(([path, source]): LayerEntry => ({
      path,
      kind: 'file',
      mode: 0o755,
      source: realpathSync(source),
    })),
    { path: 'etc/passwd', kind: 'file', source: own('passwd') },
    { path: 'etc/group', kind: 'file', source: own('group') },
  ];
}

function inPath(...names: string[]): string {
  const found = names.map((name) => findInPath(name)).find((path) => path !== undefined);
  if (!found) throw new SandboxError(`an image of PostgreSQL needs ${names.join(' or ')}, which is not in PATH`);
  return found;
}

/** Paths of all files below a folder, those behind links too; empty when there is no such folder. */
async function below(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => existsSync(path)) // A link may lead nowhere.
    .sort();
}
