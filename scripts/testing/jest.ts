import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run, type Ended } from './child.ts';
import type { JestReport } from './report.ts';
import { environment, REPORTS, ROOT, tool } from './tools.ts';

export interface JestRun {
  /** Names the report: reports/<name>.json. */
  name: string;
  files: string[];
  inBand?: boolean;
  /** More files at a time than there are processors. */
  waits?: boolean;
  /** Only tests whose full name matches. */
  names?: RegExp;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  limitSeconds?: number;
}

/** Runs Jest over some files. The report is undefined when Jest ended before it could write one. */
export async function runJest(jest: JestRun): Promise<{ report: JestReport | undefined; ended: Ended }> {
  const reportFile = fileOf(jest.name);
  mkdirSync(REPORTS, { recursive: true });
  rmSync(reportFile, { force: true }); // or a run that crashes would be judged by the one before
  const args = tool(
    'jest',
    '--ci',
    '--json',
    `--outputFile=${reportFile}`,
    // By itself it would leave one processor to a person; of two, that is half.
    ...(jest.inBand ? ['--runInBand'] : [`--maxWorkers=${Math.ceil(availableParallelism() * (jest.waits ? 1.5 : 1))}`]),
    ...(jest.names ? [`--testNamePattern=${jest.names.source}`] : []),
    '--runTestsByPath',
    ...jest.files,
  );
  const ended = await run(process.execPath, args, {
    cwd: ROOT,
    env: environment(jest.env),
    ...(jest.signal ? { signal: jest.signal } : {}),
    ...(jest.limitSeconds ? { limitSeconds: jest.limitSeconds } : {}),
  });
  return { report: readReport(jest.name), ended };
}

/** The report that the last run of that name left, or undefined. */
export function readReport(name: string): JestReport | undefined {
  const file = fileOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as JestReport) : undefined;
}

const fileOf = (name: string) => join(REPORTS, `${name}.json`);
