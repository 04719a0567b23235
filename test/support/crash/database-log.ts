import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { databasesOf, normalize } from './calls.ts';
import { Changes } from './sql.ts';

/** Session and statement: `6745c1e2.1f3a LOG:  statement: …`. */
export const LOG_PREFIX = '%c ';

/** Lines of a log of PostgreSQL from a position on, each with what it was continued by. */
export async function statementsOf(log: string, from: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(log, { start: from }) })) {
    // A statement goes on in lines that begin with a tab.
    if (line.startsWith('\t')) lines.push(`${lines.pop() ?? ''} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}

const LINE = /^(?<session>[0-9a-f]+\.[0-9a-f]+) (?<level>LOG|ERROR|FATAL): {2}(?<text>.*)$/;
const STATEMENT = /^(?:statement|execute [^:]+): (?<statement>.*)$/;

/**
 * Changes of whole databases in the server's log, transactions at their COMMIT; one that failed took no effect. What a run
 * does to a database of its own that nobody uses yet is left out: a restore that died begins it anew.
 * @param lines of the log with LOG_PREFIX
 */
export function effectsOf(lines: string[], environment: string): string[] {
  const ours = new RegExp(`\\b${databasesOf(environment)}\\b`);
  const sessions = new Map<string, Changes>();
  const effects: string[] = [];
  const last = new Map<string, number>();
  for (const line of lines) {
    const { session, level, text } = LINE.exec(line)?.groups ?? {};
    if (session === undefined || text === undefined) continue;
    if (level !== 'LOG') {
      // It is told after its statement.
      const failed = last.get(session);
      if (failed !== undefined) effects[failed] = '';
      sessions.delete(session);
      continue;
    }
    const statement = STATEMENT.exec(text)?.groups?.['statement'];
    if (statement === undefined) continue;
    const changes = sessions.get(session) ?? new Changes();
    sessions.set(session, changes);
    const change = changes.next(statement);
    last.delete(session);
    if (change === undefined || !ours.test(change)) continue;
    if (!/\bDATABASE\b/.test(change)) continue;
    last.set(session, effects.length);
    effects.push(normalize(change, environment));
  }
  return effects.filter(
    (effect) => effect !== '' && !/^(CREATE|DROP) DATABASE (IF EXISTS )?\S*_(verify|restore)_/.test(effect),
  );
}
