import { LineCounter, parseDocument, type Document } from 'yaml';

/** A YAML file and what it says, with what is needed to point into it. */
export interface CatalogFile {
  path: string;
  text: string;
  document: Document;
  /** The file as plain values; undefined when it cannot be read as YAML. */
  value: unknown;
  /** `path:line:column` of an offset in the text. */
  position(offset: number): string;
  /** Faults of the YAML itself: syntax, duplicate keys, aliases. */
  problems: string[];
}

/** Aliases are for a handful of repetitions; nested ones that multiply are an attack ("billion laughs"). */
const MAX_ALIASES = 100;

/** Parses one file; never throws, its faults are in `problems`. */
export function parseFile(path: string, text: string): CatalogFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true });
  const position = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const problems = [...document.errors, ...document.warnings].map(
    (fault) => `${position(fault.pos[0])}: ${fault.message.replace(/\.$/, '')}`,
  );
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      problems.push(`${position(0)}: expected at most ${MAX_ALIASES} aliases (${(error as Error).message})`);
    }
  }
  return { path, text, document, value, position, problems };
}
