import { z } from 'zod';
import { name } from '../../contracts/scalars.ts';
import { asQuery } from '../../domain/sql/statement.ts';

/** How an action names a database. */
export const databaseReference = { database: name.describe('Database of the catalog') };

/** A name in the database; it is quoted wherever it is used. */
export const identifier = z
  .string()
  .min(1)
  .refine((text) => new TextEncoder().encode(text).length <= 63 && !text.includes('\0'), 'expected at most 63 bytes');

/** One statement that only reads. */
export const query = z
  .string()
  .max(20_000)
  .refine((sql) => asQuery(sql) !== undefined, 'expected one SELECT, WITH, VALUES or TABLE')
  .transform((sql) => asQuery(sql)!);
