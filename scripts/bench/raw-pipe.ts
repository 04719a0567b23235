import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { programOf } from '../../src/adapters/backup/tools.ts';
import type { Endpoints } from '../sandbox/endpoints.ts';

const OBJECT = join(import.meta.dirname, 'raw-object.ts');
/** openssl's command has no GCM; CTR is the same cipher without its tag. Key and nonce protect nothing here. */
const CIPHER = `openssl enc -aes-256-ctr -K ${'0b'.repeat(32)} -iv ${'0c'.repeat(16)}`;

/** What anyone could type: the tools of a backup in a pipe, each in a process of its own. */
export interface RawPipe {
  /** What `pg_dump` writes, before anything is done with it. */
  dumpBytes(database: string): Promise<number>;
  /** @returns milliseconds */
  backUp(database: string, key: string): Promise<number>;
  /** Into an empty database that is there. @returns milliseconds */
  restore(key: string, database: string): Promise<number>;
}

export function rawPipe({ postgres }: Endpoints): RawPipe {
  const env = {
    ...process.env,
    ...{ PGHOST: postgres.host, PGPORT: String(postgres.port), PGUSER: postgres.user },
    PGPASSWORD: readFileSync(postgres.passwordFile, 'utf8').trim(),
  };
  const object = (what: string, key: string) => `'${process.execPath}' '${OBJECT}' ${what} ${key}`;
  /** @returns what it writes */
  const run = async (pipe: string): Promise<string> => {
    const shell = spawn('bash', ['-o', 'pipefail', '-c', pipe], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(shell, 'close') as Promise<[number | null]>;
    const [output, [code]] = await Promise.all([text(shell.stdout), closed]);
    if (code !== 0) throw new Error(`the plain pipe ended with ${code}: ${pipe}`);
    return output;
  };
  const timed = async (pipe: string): Promise<number> => {
    const started = performance.now();
    await run(pipe);
    return performance.now() - started;
  };
  const dump = (database: string): string => `'${programOf('pg_dump')}' -Fc -Z0 -d ${database}`;
  return {
    dumpBytes: async (database) => Number(await run(`${dump(database)} | wc -c`)),
    backUp: (database, key) => timed(`${dump(database)} | zstd -3 -q | ${CIPHER} | ${object('put', key)}`),
    restore: (key, database) =>
      timed(
        `${object('get', key)} | ${CIPHER} -d | zstd -d -q | '${programOf('pg_restore')}' --exit-on-error -d ${database}`,
      ),
  };
}
