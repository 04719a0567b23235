import { createInterface } from 'node:readline/promises';

const bold = (text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[0m` : text;

/** Tells a watcher what happens, with the seconds since the demo began. */
export interface Narrator {
  chapter(title: string): void;
  say(line: string): void;
  /** Waits for Enter where somebody watches; returns at once otherwise. */
  pause(prompt: string): Promise<void>;
}

export function narrate(unattended: boolean): Narrator {
  const startedAt = Date.now();
  const clock = (): string => `${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s`;
  return {
    chapter: (title) => console.log(`\n${bold(title)}`),
    say: (line) => console.log(`${clock()}  ${line}`),
    async pause(prompt) {
      if (unattended || !process.stdin.isTTY) return;
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      await terminal.question(`       ${prompt} (Enter) `);
      terminal.close();
    },
  };
}
