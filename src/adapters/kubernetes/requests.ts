import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Answer, Connection, Exchange } from './connection.ts';
import { failureOf, isRefusedByRoles, noAnswer, type Asked } from './errors.ts';
import { namespaceOf, RESOURCES, type Kind } from './kinds.ts';

/**
 * An API server that has just started refuses what it allows a moment later, when it has read its roles and bindings. A
 * refused request did nothing, so it may be asked again; after the last of these waits the refusal counts.
 */
const ROLES_ARE_READ_AFTER_MS = [500, 1_500];

// Two rounds of these fit into the 10 s that an activity on the traffic path has.
const TIMEOUT_MS = 4_000;

/** An answer, and its body if it is JSON. */
export interface Reply {
  answer: Answer;
  body: unknown;
  ok: boolean;
  /** The answer as a named failure. */
  failed: () => ApplicationFailure;
}

/** How one cluster is asked: every request is bounded in time, and its failures name what was asked. */
export interface Requests {
  send: (asked: Asked, what: Omit<Exchange, 'timeoutMs'>) => Promise<Reply>;
  askedFor: (verb: string, kind: Kind, namespace: string | undefined, name?: string) => Asked;
}

export function createRequests(context: string, connection: Connection): Requests {
  return {
    async send(asked, what) {
      let reply = await once(asked, what);
      for (const wait of ROLES_ARE_READ_AFTER_MS) {
        if (!isRefusedByRoles(reply.answer.status, reply.body)) break;
        await sleep(wait);
        reply = await once(asked, what);
      }
      return reply;
    },

    askedFor(verb, kind, namespace, name) {
      const { group, plural } = RESOURCES[kind];
      const within = namespaceOf(kind, namespace);
      return {
        verb,
        group,
        resource: plural,
        context,
        ...(within ? { namespace: within } : {}),
        ...(name ? { name } : {}),
      };
    },
  };

  async function once(asked: Asked, what: Omit<Exchange, 'timeoutMs'>): Promise<Reply> {
    const answer = await connection.exchange({ ...what, timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
      // Named already when there is no way to the cluster.
      throw error instanceof ApplicationFailure ? error : noAnswer(asked, error);
    });
    const isJson = String(answer.headers['content-type'] ?? '').startsWith('application/json');
    const body = isJson ? parse(answer.text) : undefined;
    const ok = answer.status >= 200 && answer.status < 300;
    return { answer, body, ok, failed: () => failureOf(asked, answer.status, body) };
  }
}

export function query(parameters: Record<string, string>): string {
  const text = new URLSearchParams(parameters).toString();
  return text && `?${text}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
