import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Refusal } from '../requests.ts';

/** How often something may happen within a minute. */
export interface Limits {
  /** Requests of one address, whatever they ask for. */
  perAddress: number;
  /** Requests of one address that did not say who they are, or said it wrongly. */
  failuresPerAddress: number;
  /** Requests of one person, from wherever. */
  perPerson: number;
  /** Decisions of one person: each enters a history. */
  decisionsPerPerson: number;
}

export const LIMITS: Limits = { perAddress: 300, failuresPerAddress: 30, perPerson: 240, decisionsPerPerson: 20 };

const SECONDS = 60;

/** Too much for now; `retryAfterSeconds` says when it is worth asking again. */
export class TooMany extends Refusal {
  readonly retryAfterSeconds: number;

  constructor(milliseconds: number) {
    const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
    super(429, `too many requests: try again in ${seconds} s`);
    this.retryAfterSeconds = seconds;
  }
}

export type Limiter = {
  [Kind in keyof Limits]: { take(key: string): Promise<void>; check(key: string): Promise<void> };
};

/** Counts in the memory of this process: with several of them, each allows as much. */
export function createLimiter(limits: Limits): Limiter {
  const kinds = Object.entries(limits).map(([kind, points]) => {
    const counter = new RateLimiterMemory({ keyPrefix: kind, points: points as number, duration: SECONDS });
    return [
      kind,
      {
        /** Counts one. @throws TooMany */
        take: async (key: string) => {
          await counter.consume(key).catch((over: unknown) => {
            throw over instanceof RateLimiterRes ? new TooMany(over.msBeforeNext) : over;
          });
        },
        /** Counts nothing. @throws TooMany when there is nothing left to take */
        check: async (key: string) => {
          const state = await counter.get(key);
          if (state && state.consumedPoints >= counter.points) throw new TooMany(state.msBeforeNext);
        },
      },
    ];
  });
  return Object.fromEntries(kinds) as Limiter;
}

/**
 * The address that a request counts for: behind `proxies` proxies, each of which adds to X-Forwarded-For who asked it,
 * that many from its end; what stands before was sent by anybody. An IPv6 network counts as one.
 */
export function addressOf(socket: string | undefined, forwardedFor: string | undefined, proxies: number): string {
  const chain = (forwardedFor ?? '').split(',').map((each) => each.trim()).filter(Boolean); // prettier-ignore
  const address = (proxies > 0 ? chain.at(-proxies) : undefined) ?? socket ?? 'unknown';
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? networkOf(plain) : plain;
}

/** The first 64 bits of an IPv6 address, of which one subscriber has all that follow. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length;
  return `${[...groups, ...Array<string>(Math.max(0, missing)).fill('0')].slice(0, 4).join(':')}::/64`;
}
