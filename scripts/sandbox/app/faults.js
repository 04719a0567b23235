/**
 * How a version misbehaves, so that a release of it fails in one known way.
 *
 * @typedef {object} Faults
 * @property {boolean} [smoke] `/smoke` answers 500; everything else is healthy
 * @property {{ aboveRps: number, rate: number }} [errorsUnderLoad] the share `rate` (0 to 1) of traffic is answered 500
 *   while this process gets more than `aboveRps` requests per second
 * @property {number} [latencyMs] delay of every answer to traffic
 * @property {number} [crashAfterMs] exits with 1 this long after its start
 * @property {number} [memoryMb] allocates this much, step by step; under a smaller limit the kernel kills it
 * @property {boolean} [neverReady] `/ready` answers 503 for ever
 * @property {'database' | 'redis' | 'agents' | 'external_apis'} [unhealthyCheck] reported unhealthy by `/health`
 * @property {object} [health] what `/health` says instead: these fields replace the true ones, null leaves one out
 */

/** @type {Record<string, Faults>} */
export const DEFAULT_FAULTS = {
  v3: { smoke: true },
  v4: { errorsUnderLoad: { aboveRps: 20, rate: 0.5 } },
  v5: { latencyMs: 800 },
  v6: { crashAfterMs: 0 },
  v7: { memoryMb: 600 },
  v8: { neverReady: true },
  v9: { unhealthyCheck: 'redis' },
};

/**
 * The faults of one version. `APP_FAULTS` (JSON, version → faults) replaces the defaults of the versions it names.
 * @param {string} version
 * @param {string} [overrides]
 * @returns {Faults}
 */
export function faultsOf(version, overrides) {
  const all = { ...DEFAULT_FAULTS, ...(overrides ? JSON.parse(overrides) : {}) };
  return all[version] ?? {};
}

/**
 * Decides which requests fail under load. Exact rather than random: of n requests over the limit, n × rate fail.
 * @param {{ aboveRps: number, rate: number } | undefined} fault
 * @returns {(nowMs: number) => boolean} to be asked once per request
 */
export function errorsUnderLoad(fault) {
  if (!fault) return () => false;
  const WINDOW_MS = 1000;
  const recent = [];
  let owed = 0;
  return (nowMs) => {
    recent.push(nowMs);
    while (recent[0] <= nowMs - WINDOW_MS) recent.shift();
    if (recent.length <= fault.aboveRps) return false;
    owed += fault.rate;
    if (owed < 1) return false;
    owed -= 1;
    return true;
  };
}

/** Starts the faults that need no request: a crash, and memory that is really touched (an untouched page costs nothing). */
export function startProcessFaults({ crashAfterMs, memoryMb = 0 }) {
  if (crashAfterMs !== undefined) {
    setTimeout(() => {
      console.error(JSON.stringify({ level: 'fatal', msg: 'crash fault: exiting with 1' }));
      process.exit(1);
    }, crashAfterMs);
  }
  const STEP_MB = 32;
  const kept = [];
  const allocate = () => {
    if (kept.length * STEP_MB >= memoryMb) return;
    kept.push(Buffer.alloc(STEP_MB * 1024 * 1024, 1));
    setTimeout(allocate, 50);
  };
  allocate();
}
