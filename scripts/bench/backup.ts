import { readFileSync } from 'node:fs';
import pg from 'pg';
import { backUpDatabase, type BackUpDatabaseResult } from '../../src/contracts/back-up-database.ts';
import { verifyBackup, type VerifyBackupResult } from '../../src/contracts/verify-backup.ts';
import { REQUESTER, SYSTEM } from './catalog.ts';
import { describeMachine, measureLoad, type Machine, type MachineLoad } from './machine.ts';
import { rawPipe } from './raw-pipe.ts';
import { TASK_QUEUE, withSetting, type Setting } from './setting.ts';
import { rounded, summarize } from './statistics.ts';

/** One round: the same work by a plain pipe and by Windlass, one after the other. Milliseconds. */
export interface BackupRound {
  rawBackupMs: number;
  /** The part of a backup that the plain pipe does too. */
  streamMs: number;
  /** What comes after it: the digests of all tables. */
  digestMs: number;
  /** The whole procedure, from its start to its end. */
  backupProcedureMs: number;
  /** With the creation of its database. */
  rawRestoreMs: number;
  /** The part of a test restore that the plain pipe does too. */
  restoreMs: number;
  /** The whole procedure: with pg_amcheck, and the comparison of every table. */
  verifyProcedureMs: number;
}

export interface BackupReport {
  bench: 'backup';
  machine: Machine;
  loadBefore: MachineLoad;
  loadAfter: MachineLoad;
  /** Of the dump, before compression. */
  dumpBytes: number;
  rounds: BackupRound[];
  /** Medians of the rounds: throughput of Windlass ÷ that of the plain pipe. */
  backupRatio: number;
  restoreRatio: number;
  /** The most that the worker held at any time (VmHWM), MiB. */
  workerPeakMiB: number;
}

export interface BackupOptions {
  rounds: number;
  megabytes: number;
  say: (line: string) => void;
}

const ENVIRONMENT = 'bench-backup';
const DATABASE = 'shop';
const SOURCE = 'windlass_bench';
const RAW_RESTORED = 'windlass_bench_raw';
/** Of one row, about: its text, and what PostgreSQL adds. */
const ROW_BYTES = 190;

/** Backs a database up and restores it, in turn by a plain pipe of the same tools and by procedures. */
export async function benchBackup({ rounds: count, megabytes, say }: BackupOptions): Promise<BackupReport> {
  return withSetting(
    { environments: [ENVIRONMENT], retireAfter: '1h', database: { name: DATABASE, as: SOURCE } },
    async (setting) => {
      const admin = adminOf(setting);
      try {
        say(`filling a database with ${megabytes} MB`);
        await fill(admin, setting, megabytes);
        const raw = rawPipe(setting.endpoints);
        const loadBefore = await measureLoad();
        const rounds: BackupRound[] = [];
        const dumpBytes = await raw.dumpBytes(SOURCE);
        for (let round = 1; round <= count; round++) {
          setting.interrupted.throwIfAborted();
          const key = `bench/raw-${round}`;
          const rawBackupMs = await raw.backUp(SOURCE, key);
          const backup = await run<BackUpDatabaseResult>(setting, backUpDatabase, {});
          if (!backup.result.backup) throw new Error('expected a backup');
          await drop(admin, RAW_RESTORED);
          const rawRestoreMs = await timed(async () => {
            await create(admin, RAW_RESTORED);
            await raw.restore(key, RAW_RESTORED);
          });
          const verify = await run<VerifyBackupResult>(setting, verifyBackup, {});
          const { verification } = verify.result;
          if (!verification?.good) throw new Error('expected a good backup');
          rounds.push({
            ...{ rawBackupMs: Math.round(rawBackupMs), rawRestoreMs: Math.round(rawRestoreMs) },
            ...backup.result.backup.phases,
            backupProcedureMs: backup.tookMs,
            restoreMs: verification.phases.restoreMs,
            verifyProcedureMs: verify.tookMs,
          });
          say(`round ${round}: ${JSON.stringify(rounds.at(-1))}`);
        }
        const median = (ratio: (round: BackupRound) => number): number => rounded(summarize(rounds.map(ratio))!.p50, 2);
        return {
          bench: 'backup',
          machine: describeMachine(),
          ...{ loadBefore, loadAfter: await measureLoad(), dumpBytes, rounds },
          backupRatio: median(({ rawBackupMs, streamMs }) => rawBackupMs / streamMs),
          restoreRatio: median(({ rawRestoreMs, restoreMs }) => rawRestoreMs / restoreMs),
          workerPeakMiB: peakMiB(setting.worker.pid),
        };
      } finally {
        for (const name of [SOURCE, RAW_RESTORED]) await drop(admin, name);
        await admin.end();
      }
    },
  );
}

function adminOf({ endpoints: { postgres } }: Setting, database = 'postgres'): pg.Pool {
  const { host, port, user, passwordFile } = postgres;
  return new pg.Pool({ host, port, user, database, password: readFileSync(passwordFile, 'utf8').trim(), max: 1 });
}

const drop = (admin: pg.Pool, name: string) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
const create = (admin: pg.Pool, name: string) => admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Rows like those of an application: numbers, times, and text that compresses to about a half. */
async function fill(admin: pg.Pool, setting: Setting, megabytes: number): Promise<void> {
  await drop(admin, SOURCE);
  await create(admin, SOURCE);
  const inside = adminOf(setting, SOURCE);
  const rows = Math.ceil((megabytes * 1_000_000) / ROW_BYTES / 4);
  for (const table of ['orders', 'items', 'events', 'sessions'])
    await inside.query(
      `CREATE TABLE ${table} AS SELECT n AS id, now() - n * interval '1 second' AS at,
       md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text) AS text
       FROM generate_series(1, ${rows}) n`,
    );
  await inside.end();
  await admin.query('CHECKPOINT');
}

interface Ran<Result> {
  result: Result;
  tookMs: number;
}

async function run<Result>(
  { client }: Setting,
  contract: { procedure: string; input: { parse(value: unknown): unknown } },
  more: object,
): Promise<Ran<Result>> {
  const input = { system: SYSTEM, environment: ENVIRONMENT, database: DATABASE, requestedBy: REQUESTER, ...more };
  const started = performance.now();
  const handle = await client.workflow.start(contract.procedure, {
    ...{
      workflowId: `${contract.procedure}/${ENVIRONMENT}`,
      taskQueue: TASK_QUEUE,
      args: [contract.input.parse(input)],
    },
  });
  const result = (await handle.result()) as Result;
  return { result, tookMs: Math.round(performance.now() - started) };
}

/** The most memory that a process ever held. */
function peakMiB(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found?.[1]) / 1024);
}
