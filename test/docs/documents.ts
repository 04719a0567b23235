import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A Markdown file of the repository. */
export interface Document {
  /** Relative to the repository. */
  file: string;
  text: string;
}

const read = (path: string): Document => ({ file: relative(ROOT, path), text: readFileSync(path, 'utf8') });

/** README, CONTRIBUTING and everything in docs/. */
export function documents(): Document[] {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return ['README.md', 'CONTRIBUTING.md', ...inDocs.sort().map((name) => `docs/${name}`)].map((name) =>
    read(join(ROOT, name)),
  );
}

export const procedurePages = (): Document[] => documents().filter(({ file }) => file.startsWith('docs/procedures/'));

/** The fenced blocks of a language, without their fences. */
export function blocks({ text }: Document, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```/gm)]
    .filter(([, found]) => found === language)
    .map(([, , body]) => body!);
}

/** The code in the text, `like this`, outside of fenced blocks. */
export function inlineCode({ text }: Document): string[] {
  return [...text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}

/** A row for each cell of a table's body under a heading: the code of its first column. */
export function firstColumnUnder({ text }: Document, heading: string): string[] {
  const section = text.split(new RegExp(`^## ${heading}$`, 'm'))[1]?.split(/^## /m)[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|')[1]!.trim());
}
