import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { quoted } from '../../domain/sql/statement.ts';
import { defineAction } from '../action.ts';
import { beating } from '../beat.ts';
import { databaseReference, identifier } from './database.ts';
import { findIndex, type IndexState } from './index-state.ts';

const LONGEST_MS = 6 * 3_600_000;
const EVERY_MS = 1_000;

export const indexReference = {
  ...databaseReference,
  schema: identifier.default('public').describe('Of the table and its index'),
  index: identifier.describe('Name of the index'),
};

/**
 * Look-before-repeat: the index is looked up by its name. A finished one of the same definition is left; one that a
 * killed attempt still builds is waited for; an invalid one that it left is dropped first, because PostgreSQL keeps it,
 * unused, and IF NOT EXISTS would take it for done.
 */
export const createIndexConcurrently = defineAction({
  name: 'createIndexConcurrently',
  description: 'Creates an index while the table is read and written; it takes longer than a plain one',
  group: 'postgres',
  parameters: z.strictObject({
    ...indexReference,
    table: identifier.describe('The table'),
    columns: z.array(identifier).min(1).max(32).describe('In the order of the index'),
    unique: z.boolean().default(false).describe('No two rows may have the same values'),
    method: z.enum(['btree', 'hash', 'gin', 'gist', 'brin']).default('btree').describe('Kind of index'),
  }),
  example: { database: 'shop', table: 'orders', index: 'orders_customer', columns: ['customer'] },
  output: z.object({ created: z.boolean(), droppedInvalid: z.boolean() }),
  changes: 'look-before-repeat',
  timeoutMs: LONGEST_MS,

  async plan(context, { database, schema, index, ...wanted }) {
    const found = await findIndex(await context.postgres(database), schema, index);
    if (found) assertSame(index, found, wanted);
    if (found?.valid) return { lines: [] };
    const what = `${wanted.unique ? 'unique index' : 'index'} ${schema}.${index} on ${wanted.table} (${wanted.columns.join(', ')})`;
    return {
      lines: [
        ...(found && !found.building
          ? [`invalid index ${schema}.${index}, left by an unfinished build, is dropped`]
          : []),
        `${what} is created concurrently`,
      ],
      undo: { action: 'dropIndexConcurrently', with: { database, schema, index } },
    };
  },

  async run(context, { database, schema, index, ...wanted }) {
    const session = await context.postgres(database);
    await session.limit(LONGEST_MS);
    let found = await findIndex(session, schema, index);
    while (found?.building) {
      await context.sleep(EVERY_MS);
      found = await findIndex(session, schema, index);
    }
    if (found) assertSame(index, found, wanted);
    if (found?.valid) return { created: false, droppedInvalid: false };
    await context.assertFence();
    if (found) await beating(context, session.query(`DROP INDEX CONCURRENTLY ${quoted(schema, index)}`));
    const { table, columns, unique, method } = wanted;
    const list = columns.map((column) => quoted(column)).join(', ');
    const create = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY ${quoted(index)} ON ${quoted(schema, table)} USING ${method} (${list})`;
    await beating(context, session.query(create));
    return { created: true, droppedInvalid: found !== undefined };
  },
});

interface Definition {
  table: string;
  columns: string[];
  unique: boolean;
  method: string;
}

function assertSame(index: string, found: IndexState, wanted: Definition): void {
  const [is, shall] = [textOf(found), textOf(wanted)];
  if (is === shall) return;
  throw failure(
    'Interfered',
    `index ${index} exists and is ${is}, expected ${shall}: choose another name, or drop it.`,
  );
}

const textOf = ({ table, columns, unique, method }: Definition): string =>
  `${unique ? 'unique ' : ''}${method} on ${table} (${columns.join(', ')})`;
