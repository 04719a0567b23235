import { z } from 'zod';
import { parseDuration } from '../domain/duration.ts';

/** A name in the catalog or in Kubernetes: an RFC 1123 label. */
export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected lower-case letters, digits and dashes (at most 63)');

/** A person, as the catalog's `people` lists them: `ana` or `ana@example.com`. */
export const person = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/, 'expected a name from the catalog, such as ana or ana@example.com');

/** A duration such as `90s`, `10m` or `24h`; parsed to milliseconds. */
export const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'expected a duration such as 90s, 10m, 24h or 7d')
  .transform((text) => parseDuration(text)!);

/**
 * A container image reference with a tag or a digest: `registry.example.com/team/app:v2.2.0`.
 * The grammar is that of the OCI distribution reference; `latest` is refused because it names no release.
 */
export const imageReference = z
  .string()
  .max(512)
  .regex(
    /^(?:[a-z0-9.-]+(?::\d{1,5})?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/,
    'expected an image reference such as registry.example.com/team/app:v2.2.0',
  )
  .refine((image) => /[:@][^/]+$/.test(image), 'expected a tag or a digest after the image name, such as app:v2.2.0')
  .refine((image) => !image.endsWith(':latest'), 'latest names no release: expected a version tag or a digest');

/** A version as releases name it: `v2.2.0`. */
export const version = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/, 'expected a version such as v2.2.0');

/** Free text of an operator: a reason, a comment. It is shown as it is and enters the history. */
export const text = z.string().trim().min(1).max(1000);

/** What every procedure names first: where it acts. */
export const place = {
  system: name.describe('System, as in systems/<name>.yaml'),
  environment: name.describe('Environment of that system'),
};
export interface Place {
  system: string;
  environment: string;
}

/** What every procedure on a service names first. */
export const serviceReference = { ...place, service: name.describe('Service of that system') };
export interface ServiceReference extends Place {
  service: string;
}

/** What a lease covers: a service by its name, or a database as `database/<name>`. */
export const leaseScope = z
  .string()
  .regex(/^(database\/)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a service, or database/<name>');
