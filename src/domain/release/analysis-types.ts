/** One measurement of one metric. `value` is absent when the query returned nothing; `error` when it could not be asked. */
export interface Measurement {
  metric: string;
  value?: number;
  /** Requests in the window, where the metric asks for a minimum. */
  samples?: number;
  error?: string;
}

/** Kept apart because each asks for something else: Fail undoes, Inconclusive and Error ask, Interfered stops and asks. */
export type Verdict = 'Pass' | 'Fail' | 'Inconclusive' | 'Error' | 'Interfered';
