/** A name in double quotes, to be part of a statement; several make a qualified one. */
export const quoted = (...names: string[]): string => names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');

const QUERIES = ['select', 'with', 'values', 'table'];

/**
 * The statement without a semicolon at its end, if it begins as a query does; undefined otherwise. It keeps out mistakes
 * early and in words: that nothing is changed is the work of the READ ONLY transaction it runs in, and that it is one
 * statement that of the extended protocol.
 */
export function asQuery(sql: string): string | undefined {
  const text = sql.trim().replace(/(\s*;)+$/, '');
  const start = text.replace(/^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|\()+/, '');
  const [word = ''] = /^[A-Za-z]+/.exec(start) ?? [];
  return QUERIES.includes(word.toLowerCase()) ? text : undefined;
}

/**
 * The statement with `?` for its literals, on one line: what runs now may carry a password or the data of a person, and
 * what is shown of it enters a history.
 */
export function withoutLiterals(sql: string): string {
  return sql
    .replace(/\$(\w*)\$[\s\S]*?(\$\1\$|$)/g, '?')
    .replace(/'(?:[^'\\]|''|\\.)*('|$)/g, '?')
    .replace(/\b\d+(\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .trim();
}
