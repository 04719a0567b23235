import type { BackupSummary } from '../../contracts/backup.ts';
import type { DatabaseSlice } from '../../contracts/catalog.ts';
import type { GateSpec } from '../../contracts/gates.ts';
import type { Plan, Refusal } from '../../contracts/plan.ts';
import { formatDuration } from '../duration.ts';
import { toGateSpec } from '../gate.ts';

/** A dependant as it is before it is stopped. */
export interface LiveDependant {
  kind: 'Deployment' | 'StatefulSet';
  name: string;
  service?: string;
  /** Undefined when it does not exist. */
  replicas?: number;
  /** An autoscaler that aims at it. */
  autoscaler?: string;
}

/** The database that a restore replaces, as it is now; undefined when it does not exist any more. */
export interface LiveDatabase {
  bytes: number;
  sessions: number;
  /** Undefined when it could not be compared, which `why` explains: it is damaged, after all. */
  changes?: string[];
  why?: string;
}

export interface RestoreRequest {
  slice: DatabaseSlice;
  backup: {
    id: string;
    snapshotAt: string;
    keyId: string;
    source: { name: string; systemIdentifier: string; serverVersion: string; bytes: number };
    object: { bytes: number; sha256: string };
    tables: number;
    rows: number;
  };
  verified?: BackupSummary['verified'];
  /** Of the server that the catalog names. */
  server: { systemIdentifier: string; serverVersion: string };
  keyId: string;
  live?: LiveDatabase;
  dependants: LiveDependant[];
  requestedBy: string;
  at: number;
}

/** A plan, and what the procedure needs of it. */
export interface RestorePlan extends Plan {
  backup: string;
  snapshotAt: string;
  systemIdentifier: string;
  dependants: LiveDependant[];
}

/** A restore reads and writes about so much a second on a small server; only the shown estimate uses it. */
const BYTES_PER_SECOND = 40 * 1024 * 1024;
const USUAL_STOP_MS = 30_000;
const SHOWN_CHANGES = 20;

/** What a restore would do and lose. Its digest is completed by the activity, which can hash. */
export function planRestore(request: RestoreRequest): Omit<RestorePlan, 'digest'> {
  const { slice, backup, server, live, dependants, at } = request;
  const { host, port } = slice.server;
  const age = formatDuration(Math.max(0, Math.round((at - Date.parse(backup.snapshotAt)) / 60_000) * 60_000));
  const stopped =
    dependants.map(({ kind, name, replicas }) => `${kind} ${name} (${replicas ?? 0})`).join(', ') || 'nothing';
  const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  return {
    backup: backup.id,
    snapshotAt: backup.snapshotAt,
    systemIdentifier: server.systemIdentifier,
    dependants,
    facts: [
      {
        label: 'target',
        text: `database ${slice.spec.name} at ${host}:${port} (server ${server.systemIdentifier}) of ${slice.system} ${slice.environment}`,
      },
      { label: 'now', text: live ? `${mib(live.bytes)}, ${live.sessions} sessions` : 'it does not exist' },
      {
        label: 'backup',
        text: `${backup.id}: ${age} old, ${backup.tables} tables, ${backup.rows} rows, ${mib(backup.source.bytes)}`,
      },
      { label: 'tested', text: testedText(request) },
      { label: 'lost', text: `everything that was written since ${backup.snapshotAt}` },
      ...lossOf(live).map((text) => ({ label: 'change', text })),
      { label: 'stopped', text: `${stopped}, scaled to 0 and back` },
    ],
    changes: [
      {
        verb: 'create',
        kind: 'database',
        name: `${slice.spec.name}_restore_…`,
        why: 'the backup, beside the damaged one',
      },
      ...dependants.map(({ kind, name, replicas }) => ({
        verb: 'patch' as const,
        kind,
        name,
        why: `${replicas ?? 0} → 0 replicas while the databases are swapped, then back`,
      })),
      {
        verb: 'patch',
        kind: 'database',
        name: slice.spec.name,
        why: 'its sessions end, it is renamed and kept; the restored one takes its name',
      },
    ],
    refusals: refusalsOf(request),
    warnings: warningsOf(request),
    gates: gatesOf(slice),
    blastRadius: `${slice.spec.name} and what uses it in ${slice.environment}: ${stopped}. It is down while they are stopped; the restore itself runs beside it.`,
    reversibility:
      'The damaged database is kept under another name until a person drops it; going back is renaming it again.',
    expectedDurationMs: USUAL_STOP_MS + Math.ceil((backup.source.bytes / BYTES_PER_SECOND) * 1000),
  };
}

function testedText({ verified, backup }: RestoreRequest): string {
  if (!verified) return `never restored for a test (windlass verify-backup … --backup ${backup.id})`;
  return verified.good ? `restored and compared at ${verified.at}: good` : `its test restore at ${verified.at} FAILED`;
}

function lossOf(live: LiveDatabase | undefined): string[] {
  if (!live) return [];
  if (!live.changes) return [`what differs is not known: ${live.why}`];
  if (live.changes.length === 0) return ['no table differs from the backup'];
  const more = live.changes.length - SHOWN_CHANGES;
  return [...live.changes.slice(0, SHOWN_CHANGES), ...(more > 0 ? [`and ${more} more tables`] : [])];
}

function refusalsOf({ backup, server, keyId, slice, dependants, verified }: RestoreRequest): Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (code: string, message: string) => void refusals.push({ code, message });
  if (backup.source.systemIdentifier !== server.systemIdentifier)
    refuse(
      'wrong-server',
      `backup ${backup.id} is of server ${backup.source.systemIdentifier}, ${slice.server.host}:${slice.server.port} is ${server.systemIdentifier}: choose a backup of this one.`,
    );
  if (backup.source.name !== slice.spec.name)
    refuse('wrong-database', `backup ${backup.id} is of database ${backup.source.name}, expected ${slice.spec.name}.`);
  if (backup.keyId !== keyId)
    refuse(
      'wrong-key',
      `backup ${backup.id} was encrypted with key ${backup.keyId}, the catalog's key is ${keyId}: name that key.`,
    );
  if (verified && !verified.good)
    refuse('failed-verification', `the test restore of backup ${backup.id} failed: choose another one.`);
  for (const { kind, name, replicas } of dependants)
    if (replicas === undefined)
      refuse(
        'missing-dependant',
        `${kind} ${name} is not in namespace ${slice.namespace}: correct databases.${slice.database}.dependants.`,
      );
  return refusals;
}

function warningsOf({ backup, server, verified, dependants, live }: RestoreRequest): string[] {
  const major = (version: string): string => version.split('.')[0]!;
  return [
    ...(verified ? [] : ['The backup was never restored for a test; it is checked before the swap all the same.']),
    ...(major(backup.source.serverVersion) === major(server.serverVersion)
      ? []
      : [
          `The backup is of PostgreSQL ${backup.source.serverVersion}, the server is ${server.serverVersion}: contents cannot be compared by digest.`,
        ]),
    ...(dependants.length === 0
      ? ['The catalog names no dependant: whatever uses the database is cut off without notice.']
      : []),
    ...dependants
      .filter(({ autoscaler }) => autoscaler)
      .map(
        ({ name, autoscaler }) =>
          `Autoscaler ${autoscaler} rests while ${name} is at 0 replicas, and goes on afterwards.`,
      ),
    ...(live ? [] : ['The database does not exist: nothing is kept aside.']),
  ];
}

/** A restore is never without a gate: without one in the catalog, anyone with a role there decides, but not who asked. */
function gatesOf({ policies, people, environment, spec, server }: DatabaseSlice): GateSpec[] {
  const where = `database ${spec.name} at ${server.host}:${server.port} in ${environment}`;
  const gates = policies.restoreDatabase.gates.map(toGateSpec);
  if (gates.length > 0) return gates.map((gate) => ({ ...gate, asks: `${gate.asks} (${where})` }));
  const roles = [...new Set(people.flatMap((each) => each.roles))];
  const base = { kind: 'approval' as const, quorum: 1, fourEyes: true, expiresAfterMs: 4 * 3_600_000 };
  return [{ ...base, name: 'restore', asks: `Shall ${where} be replaced by the backup shown?`, roles }];
}
