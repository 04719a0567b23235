import { z } from 'zod';
import type { EvidenceRef } from '../contracts/evidence.ts';
import type { ActionContext } from './action.ts';

/** Where something was kept, as outputs tell it. */
export const evidence = {
  uri: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  contentType: z.string(),
};

/**
 * Keeps a text under the key of the step. Look-before-repeat: the same text is stored once, and another one of a later
 * attempt beside it.
 */
export function keepEvidence(
  { objects, place, key }: Pick<ActionContext, 'objects' | 'place' | 'key'>,
  file: string,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): Promise<EvidenceRef> {
  return objects.put({ key: objectKey(place.environment, key, file), contentType, body });
}

/** `steps/sandbox/local/<key of the step>/pods.log`. */
export const objectKey = (
  { system, environment }: { system: string; environment: string },
  key: string,
  file: string,
): string => ['steps', system, environment, ...key.split('/'), file].map(segment).join('/');

/** What object stores and the tools around them all take, https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const segment = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 120) || '-';
