import { z } from 'zod';
import type { BackupManifest, BackupSummary, BackupVerification } from '../../contracts/backup.ts';
import { failure } from '../failure.ts';
import type { BackupStore } from './store.ts';

// Of one backup three objects are stored, in this order:
//   <id>.dump      the encrypted dump
//   <id>.json      its manifest: from now on the backup exists
//   <id>.verified.json   the outcome of its last test restore, when there was one
// It is deleted in the order manifest, verification, dump: a process that dies in between leaves a dump that nobody
// lists, which `orphans` finds.

export const objectKey = (prefix: string, id: string): string => `${prefix}/${id}.dump`;
const manifestKey = (prefix: string, id: string): string => `${prefix}/${id}.json`;
const verificationKey = (prefix: string, id: string): string => `${prefix}/${id}.verified.json`;

const manifestShape = z.looseObject({
  format: z.literal(1),
  id: z.string(),
  snapshotAt: z.iso.datetime(),
  source: z.looseObject({ name: z.string(), systemIdentifier: z.string(), serverVersion: z.string() }),
  tables: z.array(z.looseObject({ table: z.string(), rows: z.number(), digest: z.string() })),
  object: z.looseObject({ key: z.string(), bytes: z.number(), sha256: z.string() }),
  keyId: z.string(),
});

/** The manifest of a backup; undefined when there is no such backup. @throws BackupCorrupt when it is none */
export async function readManifest(
  store: BackupStore,
  prefix: string,
  id: string,
): Promise<BackupManifest | undefined> {
  const text = await store.readText(manifestKey(prefix, id));
  if (text === undefined) return undefined;
  const parsed = manifestShape.safeParse(parse(text));
  if (parsed.success) return parsed.data as unknown as BackupManifest;
  throw failure(
    'BackupCorrupt',
    `${manifestKey(prefix, id)} is not the manifest of a backup: ${z.prettifyError(parsed.error)}`,
  );
}

/** Makes a backup exist. Keyed: the same manifest under the same key, once. */
export const writeManifest = (store: BackupStore, prefix: string, manifest: BackupManifest): Promise<void> =>
  putOnce(store, manifestKey(prefix, manifest.id), manifest);

/** Keyed as `writeManifest`; a later verification of the same backup takes the place of the former. */
export const writeVerification = (
  store: BackupStore,
  prefix: string,
  verification: BackupVerification,
): Promise<void> => putOnce(store, verificationKey(prefix, verification.id), verification);

/** Leaves an object alone that has the content already: it was written by an attempt that died after it. */
async function putOnce(store: BackupStore, key: string, content: object): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if ((await store.readText(key)) !== text) await store.putText(key, text);
}

/** The backups that exist, newest first. @throws BackupCorrupt */
export async function listBackups(store: BackupStore, prefix: string): Promise<BackupSummary[]> {
  const keys = await store.list(`${prefix}/`);
  const ids = keys.flatMap((key) => /\/([^/.]+)\.json$/.exec(key)?.[1] ?? []).reverse();
  const summaries: BackupSummary[] = [];
  for (const id of ids) {
    const manifest = await readManifest(store, prefix, id);
    if (!manifest) continue;
    const verified = keys.includes(verificationKey(prefix, id))
      ? (parse((await store.readText(verificationKey(prefix, id))) ?? '') as BackupVerification | undefined)
      : undefined;
    const { snapshotAt, object, keyId } = manifest;
    summaries.push({
      ...{ id, snapshotAt, bytes: object.bytes, keyId },
      ...(verified ? { verified: { at: verified.at, good: verified.good } } : {}),
    });
  }
  return summaries;
}

/** Convergent: what is gone already stays gone. */
export async function deleteBackup(store: BackupStore, prefix: string, id: string): Promise<void> {
  for (const key of [manifestKey(prefix, id), verificationKey(prefix, id), objectKey(prefix, id)])
    await store.remove(key);
}

/** Ids of dumps without a manifest that began before a time: of backups that failed, or were half deleted. */
export async function orphans(store: BackupStore, prefix: string, before: string): Promise<string[]> {
  const keys = await store.list(`${prefix}/`);
  return keys
    .flatMap((key) => /\/([^/.]+)\.dump$/.exec(key)?.[1] ?? [])
    .filter((id) => id < before && !keys.includes(manifestKey(prefix, id)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
