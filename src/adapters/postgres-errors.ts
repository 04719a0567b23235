import type { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../domain/failures.ts';
import { failure } from './failure.ts';

/**
 * What an SQLSTATE means to us, the longest prefix first; see https://www.postgresql.org/docs/current/errcodes-appendix.html
 * Only what may pass by itself is Unavailable.
 */
const BY_STATE: [prefix: string, type: FailureType][] = [
  ['25006', 'Refused'], // read_only_sql_transaction
  ['28', 'Forbidden'], // invalid authorization
  ['3D', 'NotFound'], // no such database
  ['3F', 'NotFound'], // no such schema
  ['40', 'Unavailable'], // serialization failure, deadlock
  ['42501', 'Forbidden'], // insufficient privilege
  ['42P01', 'NotFound'], // no such table
  ['42704', 'NotFound'], // no such object
  ['53100', 'DiskFull'],
  ['53', 'Unavailable'], // insufficient resources: too many connections
  ['55P03', 'Unavailable'], // lock not available
  ['55006', 'Unavailable'], // object in use
  ['57014', 'TimedOut'], // query canceled: by statement_timeout, or by us
  ['57P', 'Unavailable'], // shutdown, crash, not ready yet
  ['08', 'Unavailable'], // connection
  ['58', 'Unavailable'], // system error of the server
];

/**
 * Vendor errors end here. The message is the server's own first line: its detail may quote values of a row.
 * @param where `PostgreSQL at host:port`
 */
export function postgresFailure(error: unknown, where: string): ApplicationFailure {
  const { message, code } = error as Error & { code?: string };
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code)) {
    if (/\bSSL\b|certificate/i.test(message))
      return failure('InvalidInput', `${where} and \`tls\` of the catalog do not fit: ${message}`);
    return failure('Unavailable', `${where} does not answer: ${[code, message].filter(Boolean).join(': ')}`);
  }
  const type = BY_STATE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'InvalidInput';
  const said = `${where} says: ${message} (SQLSTATE ${code})`;
  return failure(type, type === 'DiskFull' ? `${said}. ${MAKE_ROOM}` : said);
}

/** What to do about DiskFull. */
export const MAKE_ROOM =
  "The disk of the server, or of one of its tablespaces, is full: make room there, for a restore as much as the backup's data needs beside what is there, and start again.";

/**
 * Whether a server said to one of its tools that its disk is full: tools pass on its words, not its SQLSTATE. Only ends of
 * an error line and the server's hint count, because a context quotes rows.
 */
export const saysDiskFull = (complaints: string): boolean =>
  /ERROR: .*(No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes at block \d+)$|^HINT: +Check free disk space/m.test(
    complaints,
  );

/**
 * Whether a tool of PostgreSQL complains of its connection, which says nothing about the database itself: libpq's messages
 * (fe-connect.c, fe-misc.c, fe-secure-openssl.c) and those of a server that ends.
 */
export const saysNoConnection = (complaints: string): boolean =>
  /could not connect|connection to server .* failed|no connection to the server|server closed the connection|could not (receive data from|send data to) server|SSL (SYSCALL error|connection has been closed)|terminating connection|the database system is/.test(
    complaints,
  );
