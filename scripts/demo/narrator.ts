import { createInterface } from 'node:readline/promises';

const bold = (text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[0m` : text;

/** A measured time, as demos say it. @param ms milliseconds */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Tells a watcher what happens, with the seconds since the demo began. */
export interface Narrator {
  chapter(title: string): void;
  say(line: string): void;
  /** The last chapter: whether all went as promised, and what did not. */
  conclude(broken: string[]): void;
  /** Waits for Enter where somebody watches; returns at once otherwise. */
  pause(prompt: string): Promise<void>;
}

export function narrate(unattended: boolean): Narrator {
  const startedAt = Date.now();
  const clock = (): string => `${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s`;
  const chapter = (title: string): void => console.log(`\n${bold(title)}`);
  const say = (line: string): void => console.log(`${clock()}  ${line}`);
  return {
    chapter,
    say,
    conclude(broken) {
      chapter(broken.length === 0 ? 'All went as promised' : 'Not all went as promised');
      for (const each of broken) say(`BROKEN: ${each}`);
    },
    async pause(prompt) {
      if (unattended || !process.stdin.isTTY) return;
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      await terminal.question(`       ${prompt} (Enter) `);
      terminal.close();
    },
  };
}
