import { auditOf, withAudit } from './audit-store.ts';
import { whileAlive } from './alive.ts';
import { isChange } from './audit-effects.ts';
import type { Dependencies } from './dependencies.ts';
import {
  addMark,
  appendRun,
  exportedOf,
  lastMark,
  nextUnsealed,
  noteSealed,
  unsealedChains,
} from '../src/adapters/audit/records.ts';
import { listSealed, searchRecords } from '../src/adapters/audit/search.ts';
import { failure } from '../src/adapters/failure.ts';
import { closedRuns, readHistory, type ClosedRun } from '../src/adapters/histories.ts';
import { anchorKey, emptyHead, link, segmentKey, segmentText } from '../src/audit/chain.ts';
import { readEvents } from '../src/audit/history.ts';
import { normalize } from '../src/audit/normalize.ts';
import { wordsOf } from '../src/audit/words.ts';
import {
  RUNS_PER_EXPORT,
  UNKNOWN_PLACE,
  type AuditChain,
  type AuditListing,
  type AuditQuery,
  type AuditRecord,
  type AuditRun,
  type AuditTexts,
  type ReadAuditInput,
} from '../src/contracts/audit.ts';
import { changeControl } from '../src/contracts/change-control.ts';
import { PROCEDURES } from '../src/contracts/procedures.ts';
import { name as placeName } from '../src/contracts/scalars.ts';

/** The visibility store may learn of an end so much later than we looked. */
const OVERLAP_MS = 3_600_000;
/** Below the 2 MiB at which the server refuses a payload. */
const ANSWER_BYTES = 1_500_000;
/** As many, when each is of four bytes. */
const ANSWER_CHARACTERS = 375_000;

/** What is to be exported, by chain. */
export interface Unexported {
  chains: (AuditChain & { runs: AuditRun[] })[];
  /** More is waiting than one answer holds. */
  more: boolean;
  /** When the search began, ISO 8601: what ended before is in the answer or in the audit. */
  at: string;
}

export function createAuditActivities(deps: Pick<Dependencies, 'temporal' | 'secrets' | 'audit'>) {
  return {
    /**
     * Runs that have ended and are not in the audit, the oldest first, and chains whose last segments are not sealed.
     * Looks back to the last mark and an hour more; to everything for a place, or when asked. It changes nothing.
     * @param skip run ids that failed in this reconciliation
     * @throws Refused when the audit is off; Unavailable
     */
    async findUnexported(asked: {
      system?: string;
      environment?: string;
      full?: boolean;
      skip?: string[];
    }): Promise<Unexported> {
      const { system, environment, full = false, skip = [] } = asked;
      const at = new Date().toISOString();
      return whileAlive(() =>
        withAudit(deps, async ({ query }) => {
          const mark = full || system || environment ? undefined : await lastMark(query);
          const found: ClosedRun[] = [];
          const pages = closedRuns(deps.temporal, {
            types: [...Object.keys(PROCEDURES), changeControl.procedure],
            ...(mark ? { since: new Date(Date.parse(mark) - OVERLAP_MS).toISOString() } : {}),
            ...(system ? { system } : {}),
            ...(environment ? { environment } : {}),
          });
          for await (const page of pages) {
            const known = await exportedOf(query, page.map(({ runId }) => runId)); // prettier-ignore
            found.push(...page.filter(({ runId }) => !known.has(runId) && !skip.includes(runId)));
          }
          found.sort((a, b) =>
            a.closedAt === b.closedAt ? (a.runId < b.runId ? -1 : 1) : a.closedAt < b.closedAt ? -1 : 1,
          );
          const unsealed = (await unsealedChains(query)).filter(
            (chain) => (!system || chain.system === system) && (!environment || chain.environment === environment),
          );
          const chains = new Map(unsealed.map((chain) => [nameOf(chain), { ...chain, runs: [] as AuditRun[] }]));
          for (const { workflowId, runId, ...of } of found.slice(0, RUNS_PER_EXPORT)) {
            const chain = { system: placeOf(of.system), environment: placeOf(of.environment) };
            const known = chains.get(nameOf(chain)) ?? { ...chain, runs: [] };
            known.runs.push({ workflowId, runId });
            chains.set(nameOf(chain), known);
          }
          return { chains: [...chains.values()], more: found.length > RUNS_PER_EXPORT, at };
        }),
      );
    },

    /**
     * Reads the history of a run that has ended and adds what it tells to its chain, once.
     * Effect: keyed by the run id. Killed before the commit, nothing is there and the next attempt does it; killed after
     * it, the next attempt finds the run and answers `already`. The object store comes later: `sealSegments`.
     * @returns how many records were added
     * @throws Refused when the audit is off; Interfered when the history is none; Forbidden, NotFound, Unavailable
     */
    async recordRun(run: AuditRun): Promise<{ outcome: 'exported' | 'already' | 'gone'; records: number }> {
      return whileAlive(async () => {
        const history = await readHistory(deps.temporal, run);
        if (history === undefined) return { outcome: 'gone', records: 0 };
        const { facts, ...chain } = normalized(run, history);
        const records = await withAudit(deps, (session) =>
          appendRun(session, chain, run, (head) => {
            const segment = link(chain, facts, head ?? emptyHead(chain));
            return { ...segment, words: segment.records.map(wordsOf) };
          }),
        );
        return records === undefined ? { outcome: 'already', records: 0 } : { outcome: 'exported', records };
      });
    },

    /**
     * Writes every segment of a chain that the database has and the object store has not: first the segment, then its
     * anchor, then the note that both are there; oldest first.
     * Effect: look-before-repeat. The bytes come from the database and are always the same, so an attempt that dies
     * between any two of the three finds its objects and goes on; no object is ever written over.
     * @throws Refused when the audit is off; Interfered when something else is under a key; Forbidden, NotFound, Unavailable
     */
    async sealSegments(chain: AuditChain): Promise<{ sealed: number }> {
      const { sealed: store, prefix } = auditOf(deps);
      const keyOf = (file: string): string => (prefix ? `${prefix}/${file}` : file);
      return whileAlive(() =>
        withAudit(deps, async ({ query }) => {
          for (let sealed = 0; ; sealed++) {
            const next = await nextUnsealed(query, chain);
            if (!next) return { sealed };
            const { foot, lines, anchorText } = next;
            const keys = {
              segmentKey: keyOf(segmentKey(chain, foot.segment)),
              anchorKey: keyOf(anchorKey(chain, foot.segment)),
            };
            const segment = await store.seal(keys.segmentKey, segmentText(lines, foot));
            const anchor = await store.seal(keys.anchorKey, anchorText);
            await noteSealed(query, foot, {
              ...keys,
              segmentVersion: segment.version,
              anchorVersion: anchor.version,
              retainUntil: anchor.retainUntil,
            });
          }
        }),
      );
    },

    /** Notes that whatever ended before is in the audit. Effect: keyed by the time. @throws as recordRun */
    async markReconciled({ until }: { until: string }): Promise<void> {
      await withAudit(deps, async ({ query }) => {
        const last = await lastMark(query);
        // One an hour is enough: the search looks back for an hour more.
        if (!last || Date.parse(until) - Date.parse(last) > OVERLAP_MS / 2) await addMark(query, until);
      });
    },

    /** Records that fit a query. It changes nothing. @throws as recordRun */
    async searchAudit(query: AuditQuery): Promise<{ records: AuditRecord[]; more: boolean }> {
      const found = await withAudit(deps, (session) =>
        searchRecords(session.query, { ...query, limit: query.limit + 1 }),
      );
      return bounded(found.slice(0, query.limit), found.length > query.limit);
    },

    /** The sealed objects, a page of them. It changes nothing. @throws as recordRun */
    async listAudit(asked: Extract<ReadAuditInput, { ask: 'list' }>): Promise<AuditListing> {
      return withAudit(deps, ({ query }) => listSealed(query, asked));
    },

    /** Texts of sealed objects, as many as fit. It changes nothing. @throws Interfered when one is gone; as recordRun */
    async readAuditObjects({ objects, offset }: Extract<ReadAuditInput, { ask: 'read' }>): Promise<AuditTexts> {
      const { sealed } = auditOf(deps);
      const texts: AuditTexts['texts'] = [];
      let room = ANSWER_CHARACTERS;
      for (const [index, { file, key, version }] of objects.entries()) {
        const whole = await sealed.read(key, version);
        if (whole === undefined)
          throw failure('Interfered', `${key}${version ? ` (version ${version})` : ''} is gone from the object store`);
        const from = index === 0 ? offset : 0;
        const text = whole.slice(from, wholeCharacter(whole, from + room));
        texts.push({ file, text });
        room -= text.length;
        if (from + text.length < whole.length) return { texts, next: { index, offset: from + text.length } };
        if (room <= 1 && index + 1 < objects.length) return { texts, next: { index: index + 1, offset: 0 } };
      }
      return { texts };
    },
  };
}

/** Whoever starts a workflow may set any search attribute. */
const placeOf = (told: string | undefined): string => placeName.safeParse(told).data ?? UNKNOWN_PLACE;

/** The place itself, or the one before when it is in the middle of a character of two halves. */
const wholeCharacter = (text: string, at: number): number =>
  /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) ? at - 1 : at;

const nameOf = ({ system, environment }: AuditChain): string => `${system}/${environment}`;

/** @throws Interfered, not to be tried again: the same history is no other history the next time */
function normalized(run: AuditRun, history: unknown) {
  try {
    return normalize(readEvents(history), { ...run, changes: isChange });
  } catch (error) {
    throw failure(
      'Interfered',
      `the history of ${run.workflowId} (${run.runId}) cannot be read: ${(error as Error).message}`,
    );
  }
}

/** As many records as fit into an answer. */
function bounded(records: AuditRecord[], more: boolean): { records: AuditRecord[]; more: boolean } {
  let room = ANSWER_BYTES;
  const kept = records.filter((record) => (room -= Buffer.byteLength(JSON.stringify(record))) > 0);
  return { records: kept, more: more || kept.length < records.length };
}

export type AuditActivities = ReturnType<typeof createAuditActivities>;
