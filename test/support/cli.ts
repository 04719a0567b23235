import { run } from '../../src/cli/run.ts';

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

export interface CliCall {
  env?: Record<string, string>;
  /** A terminal of this size, on which the answers are typed. */
  terminal?: { columns: number; rows: number };
  answer?: string;
  /** Sees what was printed so far, each time something is. */
  onOutput?: (printed: { out: string; err: string }) => void;
}

/** Runs `windlass` in this process with an environment of its own: nothing of the machine's configuration gets in. */
export async function windlass(
  args: string[],
  { env = {}, terminal, answer, onOutput }: CliCall = {},
): Promise<CliResult> {
  let out = '';
  let err = '';
  const code = await run(args, {
    out: (text) => {
      out += text;
      onOutput?.({ out, err });
    },
    err: (text) => {
      err += text;
      onOutput?.({ out, err });
    },
    // Below a device nothing can be made, by root neither: a command that keeps something must be given a folder.
    env: { WINDLASS_STATE: '/dev/null/state', TEMPORAL_CONFIG_FILE: '/nonexistent', ...env },
    ...(terminal ? { terminal } : {}),
    ...(answer === undefined ? {} : { ask: async () => answer }),
  });
  if (process.env['TEST_LOG']) process.stderr.write(`$ windlass ${args.join(' ')}\n${out}${err}`);
  return { code, out, err };
}
