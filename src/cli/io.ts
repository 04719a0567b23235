import { styleText } from 'node:util';
import type { CliError } from './errors.ts';

/** Where a command reads and writes: the process, or what a test hands in. */
export interface Io {
  out: (text: string) => void;
  err: (text: string) => void;
  env: NodeJS.ProcessEnv;
  /** Set when stdout is a terminal; its width in columns. */
  terminal?: { columns: number; rows: number };
  /** Asks a question at the terminal; absent when nobody can answer. */
  ask?: (question: string) => Promise<string>;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** Colors a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;
const colored: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Colors go to terminals only, and NO_COLOR (no-color.org: set and not empty) or `--no-color` takes them away. */
export function paintFor(io: Io, wanted = true): Paint {
  return wanted && io.terminal && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb' ? colored : plain;
}

/** Everything a command prints goes through here, so that `--json` holds everywhere. */
export interface Output {
  readonly json: boolean;
  readonly paint: Paint;
  readonly io: Io;
  /** The result: its JSON shape, or its text. */
  result: (value: unknown, text: () => string) => void;
  /** A remark beside the result, on stderr. */
  note: (text: string) => void;
}

export function createOutput(io: Io, { json, color }: { json: boolean; color: boolean }): Output {
  const paint = paintFor(io, color);
  return {
    json,
    paint,
    io,
    result(value, text) {
      io.out(json ? `${JSON.stringify(value, undefined, 2)}\n` : ensureNewline(text()));
    },
    note: (text) => io.err(ensureNewline(text)),
  };
}

/** Errors: `{"error": {code, message, hint}}` on stdout with `--json`, else two lines on stderr. */
export function printError(io: Io, json: boolean, { code, message, hint }: CliError): void {
  if (json) io.out(`${JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } }, undefined, 2)}\n`);
  else io.err(`windlass: ${message}\n${hint ? `${hint}\n` : ''}`);
}

const ensureNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
