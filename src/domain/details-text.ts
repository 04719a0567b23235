// Texts for the current details of the Temporal UI, which are Markdown.

/** Characters of a line of code: the Temporal UI shows the details in half a page and does not wrap code. */
const CODE_WIDTH = 60;

/** `2026-01-31 14:05 UTC` of an ISO 8601 time in UTC. */
export const readableTime = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

export const or = (command: string): string => `or in a terminal:\n${code(foldCommand(`windlass ${command}`))}`;
export const code = (text: string, language = ''): string => `\`\`\`${language}\n${text}\n\`\`\``;
export const json = (value: object): string => code(JSON.stringify(value, undefined, 2), 'json');

/**
 * A command of one line as lines that a shell takes as the same command: broken between words (a flag stays with its
 * value), and a quoted JSON patch between members, where JSON allows a line end.
 */
export function foldCommand(command: string): string {
  const words = command.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g) ?? [];
  const lines: string[] = [];
  for (const [index, word] of words.entries()) {
    const line = lines.at(-1);
    const isValue = words[index - 1]?.startsWith('-') && !word.startsWith('-');
    const next = words[index + 1];
    const unit = word.startsWith('-') && next && !next.startsWith('-') ? `${word} ${next}` : word;
    if (line === undefined) lines.push(word);
    else if (isValue || line.length + unit.length < CODE_WIDTH - 2) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines
    .map((line) => (line.length > CODE_WIDTH ? line.replaceAll(/,(?="[^"]+":)/g, ',\n    ') : line))
    .join(' \\\n');
}

/** One word of a shell's command line: workflow ids may be anything that a person types. */
export const shellWord = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
