/** What the text of a statement does to a transaction, or to the server. */
export type StatementKind = 'begin' | 'commit' | 'rollback' | 'change' | 'other';

/** SELECTs that act: they end or stop what another session does. */
const ACTS = /pg_(terminate|cancel)_backend/;
/** Reads, settings of the session alone, and what only a session sees. */
const OTHER = /^(SELECT|SHOW|SET|RESET|FETCH|DECLARE|EXPLAIN|WITH|VALUES|TABLE)\b/;

/** @param text one statement of PostgreSQL */
export function kindOf(text: string): StatementKind {
  const statement = text.trim().toUpperCase();
  if (/^(BEGIN|START TRANSACTION)\b/.test(statement)) return 'begin';
  if (/^(COMMIT|END)\b/.test(statement)) return 'commit';
  if (/^(ROLLBACK|ABORT)\b/.test(statement)) return 'rollback';
  return OTHER.test(statement) && !ACTS.test(text) ? 'other' : 'change';
}

/**
 * One session's statements, put together to what takes effect at once: a transaction is one change, its text the changes
 * in it, and it happens at its COMMIT. What only reads is none.
 */
export class Changes {
  #open: string[] | undefined;

  /** @returns the change that this statement brings about, as text; undefined when it brings none about by itself */
  next(text: string): string | undefined {
    const statement = text.trim().replaceAll(/\s+/g, ' ');
    switch (kindOf(statement)) {
      case 'begin':
        this.#open = [];
        return undefined;
      case 'rollback':
        this.#open = undefined;
        return undefined;
      case 'commit': {
        const changes = this.#open ?? [];
        this.#open = undefined;
        return changes.length > 0 ? changes.join('; ') : undefined;
      }
      case 'change':
        if (!this.#open) return statement;
        this.#open.push(statement);
        return undefined;
      case 'other':
        return undefined;
    }
  }
}
