import { z } from 'zod';
import type { Row } from '../../adapters/postgres.ts';
import { defineAction } from '../action.ts';
import { databaseReference, query } from './database.ts';

/** Rows enter the history. */
const LONGEST_TEXT = 500;

/**
 * Nothing is changed, because the transaction is READ ONLY and rolled back, and a cursor takes nothing but a query. What
 * a function does outside of the tables (ending a session, reading a file of the server) is up to the rights of the
 * role: give the catalog one that has few.
 */
export const runQuery = defineAction({
  name: 'runQuery',
  description: 'Runs one query in a READ ONLY transaction and returns its first rows',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    sql: query.describe('One SELECT; $1, $2 … stand for `values`'),
    values: z
      .array(z.union([z.string().max(2000), z.number(), z.boolean(), z.null()]))
      .max(20)
      .default([])
      .describe('Never put them into the text of the query'),
    rows: z.int().min(1).max(100).default(20).describe('So many at most'),
  }),
  example: { database: 'shop', sql: 'SELECT current_database() AS name' },
  output: z.object({ rows: z.array(z.record(z.string(), z.unknown())), count: z.int(), more: z.boolean() }),
  changes: 'nothing',
  timeoutMs: 30_000,

  async run(context, { database, sql, values, rows: limit }) {
    const session = await context.postgres(database);
    const found = await session.readOnly(async (query) => {
      await query(`DECLARE found NO SCROLL CURSOR FOR ${sql}`, values);
      return query(`FETCH ${limit + 1} FROM found`);
    });
    const rows = found.slice(0, limit).map(shown);
    return { rows, count: rows.length, more: found.length > limit };
  },
});

/** As JSON has it, texts cut. */
const shown = (row: Row): Row =>
  JSON.parse(JSON.stringify(row), (_key, value: unknown) =>
    typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value,
  ) as Row;
