import type { Io } from './io.ts';

/** The process's own streams. */
export function processIo(): Io {
  // `windlass list | head` closes the pipe early: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const { stdout, stdin } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    // A getter, because a terminal may be resized while the live view runs.
    get terminal() {
      return stdout.isTTY ? { columns: stdout.columns || 80, rows: stdout.rows || 24 } : undefined;
    },
    ...(stdin.isTTY && stdout.isTTY ? { ask } : {}),
  };
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
