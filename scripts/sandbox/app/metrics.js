/** Upper bounds in seconds, 5 ms to 10 s (the Prometheus client libraries' default buckets). */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Counts traffic and writes it in the Prometheus text format 0.0.4. By hand: the image holds a node binary and no packages.
 * @param {string} version written as the label `app_version` (the scrape adds the color from the pod's labels)
 */
export function createMetrics(version) {
  // From 0 at the start: rate() loses the first step of a series that appears with a value.
  const byStatus = new Map([
    [200, 0],
    [500, 0],
  ]);
  const buckets = BUCKETS.map(() => 0);
  let seconds = 0;
  let count = 0;

  return {
    /** Records one answered request of the traffic. */
    observe(status, durationSeconds) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      seconds += durationSeconds;
      count += 1;
      const bucket = BUCKETS.findIndex((bound) => durationSeconds <= bound);
      if (bucket >= 0) buckets[bucket] += 1;
    },
    /** Percent of 5xx and mean response time since the start; null as long as nothing was measured. */
    sla() {
      if (count === 0) return { responseTimeMs: null, errorRate: null };
      const errors = [...byStatus].reduce((sum, [status, n]) => sum + (status >= 500 ? n : 0), 0);
      return { responseTimeMs: (seconds / count) * 1000, errorRate: (errors / count) * 100 };
    },
    text() {
      const label = `app_version="${version}"`;
      const lines = [
        '# HELP http_requests_total Answered requests, operational paths left out.',
        '# TYPE http_requests_total counter',
      ];
      for (const [status, n] of byStatus) lines.push(`http_requests_total{status="${status}",${label}} ${n}`);
      lines.push(
        '# HELP http_request_duration_seconds Time from request to answer.',
        '# TYPE http_request_duration_seconds histogram',
      );
      let cumulative = 0;
      for (const [i, bound] of BUCKETS.entries()) {
        cumulative += buckets[i];
        lines.push(`http_request_duration_seconds_bucket{le="${bound}",${label}} ${cumulative}`);
      }
      lines.push(`http_request_duration_seconds_bucket{le="+Inf",${label}} ${count}`);
      lines.push(
        `http_request_duration_seconds_sum{${label}} ${seconds}`,
        `http_request_duration_seconds_count{${label}} ${count}`,
      );
      return lines.join('\n') + '\n';
    },
  };
}
