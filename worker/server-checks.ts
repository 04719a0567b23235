import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes.ts';
import { ConfigError } from './config.ts';

/** The record of a procedure is exported from its history after its end; with less, a weekend loses it. */
const LEAST_RETENTION_DAYS = 7;

const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/**
 * An unregistered search attribute stalls every workflow that sets it, silently: better no worker than such a one.
 * @returns false where the server tells workers nothing about it (Temporal Cloud, by permission)
 * @throws ConfigError naming what is missing and how to register it
 */
export async function checkSearchAttributes(connection: NativeConnection, namespace: string): Promise<boolean> {
  let known: string[];
  try {
    const reply = await connection.operatorService.listSearchAttributes({ namespace });
    known = Object.keys(reply.customAttributes ?? {});
  } catch (error) {
    if ([PERMISSION_DENIED, UNIMPLEMENTED].includes((error as { code?: number }).code ?? -1)) return false;
    throw error;
  }
  const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new ConfigError([
      `namespace ${namespace} lacks the search attributes ${missing.join(', ')}: register them with ` +
        '`npm run search-attributes` (or `temporal operator search-attribute create`)',
    ]);
  }
  return true;
}

/** Undefined when the namespace keeps histories long enough, else what is wrong, in words. */
export async function retentionFault(connection: NativeConnection, namespace: string): Promise<string | undefined> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  return days >= LEAST_RETENTION_DAYS
    ? undefined
    : `namespace ${namespace} keeps histories for ${days} days, expected at least ${LEAST_RETENTION_DAYS}: ` +
        `temporal operator namespace update --namespace ${namespace} --retention ${LEAST_RETENTION_DAYS}d`;
}
