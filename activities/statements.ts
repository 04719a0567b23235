import type { StatementReading } from '../src/adapters/identity/statements.ts';
import { faultOfStatement, type StatementUse } from '../src/domain/statement.ts';
import type { Dependencies } from './dependencies.ts';

/** Activities about who decides. */
export function createStatementActivities({ statements }: Pick<Dependencies, 'statements'>) {
  return {
    /** Whether a statement is signed by our server and is about the message that it came with. It changes nothing. */
    async verifyStatement({ statement, use }: { statement: string; use: StatementUse }): Promise<StatementReading> {
      if (!statements) return { fault: 'the worker has no public keys of statements' };
      const reading = await statements.read(statement);
      if ('fault' in reading) return reading;
      const fault = faultOfStatement(reading.statement, use);
      return fault === undefined ? reading : { fault };
    },
  };
}
