import { z } from 'zod';
import { secretReference, url } from './catalog-parts.ts';

const apiUrl = url.refine((value) => !value.endsWith('/'), 'expected a URL without a slash at its end');
const address = z.email('expected an e-mail address');

/** Where people are told something. What gives access is named by reference, never written here. */
export const channel = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('slack'),
    url: secretReference.describe('Of an incoming webhook'),
    buttons: z
      .literal(true)
      .optional()
      .describe('Gates get buttons: the app of the webhook sends interactions to the approval server'),
  }),
  z.strictObject({ kind: z.literal('webhook'), url: secretReference.describe('Gets source, text and key as JSON') }),
  z.strictObject({
    kind: z.literal('email'),
    server: secretReference.describe('smtp://user:password@host:port, or smtps://…'),
    from: address,
    to: z.array(address).min(1).max(50),
  }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    routingKey: secretReference.describe('Integration key of a service, Events API v2'),
    url: apiUrl.default('https://events.pagerduty.com').describe('The EU service region has another'),
  }),
  z.strictObject({
    kind: z.literal('statuspage'),
    page: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected the ID of a page')
      .describe('ID of the page'),
    token: secretReference.describe('API key'),
    url: apiUrl.default('https://api.statuspage.io'),
  }),
]);

export type CatalogChannel = z.output<typeof channel>;
