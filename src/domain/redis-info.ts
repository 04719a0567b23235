/** Fields of an answer to INFO, by name; see https://redis.io/docs/latest/commands/info/ */
export function parseInfo(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** The glob pattern of everything that begins with a text, whatever characters the text has. */
export const globOfPrefix = (prefix: string): string => `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`;
