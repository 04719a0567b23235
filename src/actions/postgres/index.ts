import type { Action } from '../action.ts';
import { checkDatabase } from './check-database.ts';
import { createIndexConcurrently } from './create-index-concurrently.ts';
import { dropIndexConcurrently } from './drop-index-concurrently.ts';
import { endIdleSessions } from './end-idle-sessions.ts';
import { explainQuery } from './explain-query.ts';
import { listConnections } from './list-connections.ts';
import { listSlowQueries } from './list-slow-queries.ts';
import { readDatabaseSize } from './read-database-size.ts';
import { runQuery } from './run-query.ts';
import { vacuumAnalyze } from './vacuum-analyze.ts';

export const POSTGRES_ACTIONS = [
  checkDatabase,
  listConnections,
  endIdleSessions,
  listSlowQueries,
  readDatabaseSize,
  vacuumAnalyze,
  createIndexConcurrently,
  dropIndexConcurrently,
  explainQuery,
  runQuery,
] as Action[];
