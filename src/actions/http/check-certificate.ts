import { z } from 'zod';
import type { ServerCertificate } from '../../adapters/certificate.ts';
import { isFailure } from '../../adapters/failure.ts';
import { defineAction } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';

const WITHIN_MS = 5_000;
const DAY_MS = 86_400_000;

const hostname = z
  .string()
  .max(253)
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/, 'expected a host name or an IPv4 address');

/** A certificate that ends is an outage that everybody could have known of. */
export const checkCertificate = defineAction({
  name: 'checkCertificate',
  description: 'Looks at the TLS certificate of a server: is it valid, trusted, for this name, and for how many days',
  group: 'http',
  parameters: z.strictObject({
    host: hostname.describe('Where the server is'),
    port: z.int().min(1).max(65535).default(443).describe('Its port'),
    name: hostname.optional().describe('The name that it must be for; default: host'),
    daysLeft: z.int().min(0).max(1000).default(21).describe('Fewer days before its end are a fault'),
    orFail,
  }),
  example: { host: 'shop.example.com', daysLeft: 30 },
  output: z.object({
    ...verdict,
    daysLeft: z.int().describe('Whole days; negative when it has ended; 0 when there is none'),
    validTo: z.string().describe('ISO 8601; empty when there is none'),
    subject: z.string(),
    issuer: z.string(),
  }),
  changes: 'nothing',

  async run(context, { host, port, name = host, daysLeft, orFail }) {
    const found = await context.certificate({ host, port, name, timeoutMs: WITHIN_MS }).catch((error: unknown) => {
      if (isFailure(error, 'Unavailable')) return error.message;
      throw error;
    });
    if (typeof found === 'string')
      return { ...judged([found], orFail), daysLeft: 0, validTo: '', subject: '', issuer: '' };
    const { subject, issuer, validTo } = found;
    const faults = faultsOf(found, context.now(), daysLeft).map((fault) => `certificate of ${host}:${port} ${fault}`);
    return {
      ...judged(faults, orFail),
      daysLeft: daysUntil(validTo, context.now()),
      ...{ validTo: validTo.toISOString(), subject, issuer },
    };
  },
});

function faultsOf(certificate: ServerCertificate, now: number, daysLeft: number): string[] {
  const { validFrom, validTo, wrongName, untrusted } = certificate;
  const left = daysUntil(validTo, now);
  return [
    ...(validFrom.getTime() > now ? [`is valid only from ${validFrom.toISOString()}`] : []),
    ...(validTo.getTime() <= now
      ? [`ended on ${validTo.toISOString()}`]
      : left < daysLeft
        ? [`ends on ${validTo.toISOString()}, in ${left} days: renew it`]
        : []),
    ...(wrongName ? [`is for another name: ${wrongName}`] : []),
    ...(untrusted ? [`is not trusted: ${untrusted}`] : []),
  ];
}

const daysUntil = (at: Date, now: number): number => Math.floor((at.getTime() - now) / DAY_MS);
