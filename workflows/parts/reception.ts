import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { Decision } from '../../src/contracts/gates.ts';
import type { Statement } from '../../src/contracts/statement.ts';
import type { Fault } from '../../src/domain/gate-rights.ts';
import { quick } from './activities.ts';

/** Statements of one run that did not hold, each an activity in the history; beyond it none is looked at any more. */
const MOST_FALSE_STATEMENTS = 500;

/** What is known of who sent a decision. */
export type Credentials = { statement?: Statement } | { fault: Fault };

/**
 * Takes decisions one after the other, in the order in which they were received: the verification of a statement takes
 * a moment, and whoever came later must not decide before it.
 */
export interface Reception {
  /** A decision is being verified, or waits behind one that is. */
  readonly busy: boolean;
  /** At once when nothing is under way and there is nothing to wait for: histories without statements have it so. */
  inOrder<T>(needsTime: boolean, work: { now: () => T; later: () => Promise<T> }): T | Promise<T>;
  /** Verifies the statement of a decision, if it has one. A statement counts once, also when the decision then does not. */
  credentialsOf(decision: Decision, receivedAt: number): Promise<Credentials>;
}

export function openReception(): Reception {
  const used = new Set<string>();
  let falseOnes = 0;
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();

  return {
    get busy() {
      return pending > 0;
    },
    inOrder(needsTime, { now, later }) {
      if (!needsTime && pending === 0) return now();
      pending++;
      // A procedure that is stopped answers those who decided before all the same.
      const mine = last.then(() => CancellationScope.nonCancellable(later)).finally(() => pending--);
      last = mine.catch(() => undefined);
      return mine;
    },
    async credentialsOf({ statement, ...decision }, receivedAt) {
      if (statement === undefined) return {};
      if (falseOnes >= MOST_FALSE_STATEMENTS) return invalid('this run has had too many that do not hold');
      const { workflowId, runId } = workflowInfo();
      const use = { decision, workflowId, runId, receivedAt };
      const reading = await quick('Verify who decides').verifyStatement({ statement, use });
      if ('fault' in reading) {
        falseOnes++;
        return invalid(reading.fault);
      }
      const { jti } = reading.statement;
      if (used.has(jti))
        return { fault: { code: 'statement-used', message: 'This statement was used before. Decide again.' } };
      used.add(jti);
      return reading;
    },
  };
}

const invalid = (why: string): Credentials => ({
  fault: { code: 'invalid-statement', message: `The statement of who decides does not hold: ${why}.` },
});
