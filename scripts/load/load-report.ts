import { createHistogram } from 'node:perf_hooks';

/** New: one connection per request. Kept: many requests over each connection. */
export type ConnectionKind = 'new' | 'kept';

/** When something was seen for the first and the last time, in milliseconds since the epoch. */
export interface Seen {
  count: number;
  firstAt: number;
  lastAt: number;
}

export interface FailureRow extends Seen {
  /**
   * `refused`, `reset`, `timeout`, `unreachable`, `dns`, `short_body` (the answer broke off), `invalid_body` (announced as
   * JSON and is not), `http_<status>` (anything but 2xx), or `other_<code>`.
   */
  kind: string;
  /** Version that answered; null when nothing answered. */
  version: string | null;
}

export interface VersionRow {
  requests: number;
  succeeded: number;
  failed: number;
  /** When this version's first and last answers came, successful or not. */
  firstAt: number;
  lastAt: number;
  /** The same by kind of connection: kept connections stay on their pod after a switch, new ones do not. */
  connections: Partial<Record<ConnectionKind, Seen>>;
}

/** `issued` = `succeeded` + `failed` + `inFlight`, and nothing is in flight in the report of `stop()`. */
export interface LoadReport {
  url: string;
  startedAt: number;
  durationMs: number;
  issued: number;
  succeeded: number;
  failed: number;
  inFlight: number;
  failures: FailureRow[];
  failuresByKind: Record<string, number>;
  /** By the version header of the answers; answers without it are under `unknown`. */
  versions: Record<string, VersionRow>;
  /** From issuing a request to the end of its answer, of the successful ones; null when there were none. */
  latencyMs: { p50: number; p90: number; p99: number; max: number } | null;
  /** Kept-alive is proved when `kept.opened` is far below `kept.requests`; for new connections the two are equal. */
  connections: Record<ConnectionKind, { requests: number; opened: number; reused: number }>;
}

/** A request with a connection of its own that was answered. */
export interface Opening {
  /** When it was sent, its connection not yet opened, in milliseconds since the epoch. */
  at: number;
  /** Of the answer. */
  version: string;
}

/** How a request ended. `failure` is absent when it succeeded. */
export interface Outcome {
  connection: ConnectionKind;
  version: string | null;
  failure?: string;
  latencyMs: number;
  at: number;
}

function see(seen: Seen | undefined, at: number): Seen {
  return seen ? { ...seen, count: seen.count + 1, lastAt: at } : { count: 1, firstAt: at, lastAt: at };
}

/** Counts; whoever sends the requests tells it what happened. */
export class LoadRecorder {
  readonly connections: LoadReport['connections'] = {
    new: { requests: 0, opened: 0, reused: 0 },
    kept: { requests: 0, opened: 0, reused: 0 },
  };
  private issued = 0;
  private succeeded = 0;
  private failed = 0;
  private readonly failures = new Map<string, FailureRow>();
  private readonly versions = new Map<string, VersionRow>();
  private readonly latencyMicros = createHistogram();
  /** In the order of their answers. */
  readonly openings: Opening[] = [];
  private readonly startedAt = Date.now();
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  issue(connection: ConnectionKind): void {
    this.issued += 1;
    this.connections[connection].requests += 1;
  }

  settle(outcome: Outcome): void {
    const { failure, version, at } = outcome;
    if (failure === undefined) {
      this.succeeded += 1;
      this.latencyMicros.record(Math.max(1, Math.round(outcome.latencyMs * 1000)));
    } else {
      this.failed += 1;
      const key = `${failure} ${version}`;
      this.failures.set(key, { kind: failure, version, ...see(this.failures.get(key), at) });
    }
    if (version !== null) this.settleVersion(version, outcome);
  }

  private settleVersion(version: string, { connection, failure, at, latencyMs }: Outcome): void {
    if (connection === 'new') this.openings.push({ at: at - latencyMs, version });
    const row = this.versions.get(version) ?? {
      requests: 0,
      succeeded: 0,
      failed: 0,
      firstAt: at,
      lastAt: at,
      connections: {},
    };
    row.requests += 1;
    row[failure === undefined ? 'succeeded' : 'failed'] += 1;
    row.lastAt = at;
    row.connections[connection] = see(row.connections[connection], at);
    this.versions.set(version, row);
  }

  report(): LoadReport {
    const failuresByKind: Record<string, number> = {};
    for (const { kind, count } of this.failures.values()) failuresByKind[kind] = (failuresByKind[kind] ?? 0) + count;
    const quantile = (percent: number): number => this.latencyMicros.percentile(percent) / 1000;
    return structuredClone({
      url: this.url,
      startedAt: this.startedAt,
      durationMs: Date.now() - this.startedAt,
      issued: this.issued,
      succeeded: this.succeeded,
      failed: this.failed,
      inFlight: this.issued - this.succeeded - this.failed,
      failures: [...this.failures.values()],
      failuresByKind,
      versions: Object.fromEntries(this.versions),
      latencyMs:
        this.succeeded === 0
          ? null
          : { p50: quantile(50), p90: quantile(90), p99: quantile(99), max: this.latencyMicros.max / 1000 },
      connections: this.connections,
    });
  }
}
