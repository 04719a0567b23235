import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Load, LoadOptions } from './load-generator.ts';
import type { LoadReport, Opening } from './load-report.ts';

export type LoadQuestion = keyof Load;
export type LoadAnswer = LoadReport | Opening[];
export type LoadMessage = { kind: 'started' } | { kind: 'answer'; id: number; answer: LoadAnswer };

/**
 * The load generator in a process of its own, so that a busy caller neither delays requests nor lengthens their times. The
 * process ends with `stop()`, or with its parent.
 * @throws Error (also from all that is asked of it) when the process ended by itself
 */
export async function startLoadProcess(options: LoadOptions): Promise<Load> {
  const child = fork(join(import.meta.dirname, 'load-process-child.ts'), [JSON.stringify(options)], { execArgv: [] });
  const waiting = new Map<number, { resolve: (answer: LoadAnswer) => void; reject: (error: Error) => void }>();
  let ended: Error | undefined;
  let nextId = 0;

  const ask = <Answer extends LoadAnswer>(question: LoadQuestion): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      const id = nextId++;
      waiting.set(id, { resolve: (answer) => resolve(answer as Answer), reject });
      child.send({ id, question });
    });

  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: LoadMessage) => {
      if (message.kind === 'started') return resolve();
      waiting.get(message.id)?.resolve(message.answer);
      waiting.delete(message.id);
    });
    child.on('exit', (code, signal) => {
      ended = new Error(`the load generator's process ended (${signal ?? `exit code ${code}`})`);
      reject(ended);
      for (const question of waiting.values()) question.reject(ended);
    });
  });
  return {
    snapshot: () => ask('snapshot'),
    openings: () => ask('openings'),
    async stop() {
      const report = await ask<LoadReport>('stop');
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
      return report;
    },
  };
}
