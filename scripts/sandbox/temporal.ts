import { Connection } from '@temporalio/client';
import { mkdirSync } from 'node:fs';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { inState } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';

export const temporalAddress = `127.0.0.1:${ports.temporal}`;
export const temporalNamespace = 'default';

const retentionDays = 7;

/** Starts the Temporal server with its UI; returns when it serves the namespace. */
export async function startTemporal(binary: string): Promise<void> {
  mkdirSync(inState('temporal'), { recursive: true });
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1', '--log-level', 'warn'],
    ...['--port', String(ports.temporal), '--ui-port', String(ports.temporalUi), '--namespace', temporalNamespace],
    ...['--db-filename', inState('temporal', 'temporal.db')],
    // Without these two, a decision on a database file takes six times as long.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ];
  start({ name: 'temporal', command: binary, args });
  await ready('temporal', keepHistories);
}

/** Raises the namespace's retention (a day by default): the audit of a procedure is exported from its history. */
async function keepHistories(): Promise<boolean> {
  const connection = await Connection.connect({ address: temporalAddress, connectTimeout: 2000 });
  try {
    await connection.workflowService.updateNamespace({
      namespace: temporalNamespace,
      config: { workflowExecutionRetentionTtl: { seconds: (retentionDays * 86_400) as never } },
    });
    return true;
  } finally {
    await connection.close();
  }
}
