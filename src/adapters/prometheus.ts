import { failure } from './failure.ts';

/** Less than the 10 s of an activity that asks several times at once. */
const TIMEOUT_MS = 5_000;

interface Reply {
  status: 'success' | 'error';
  error?: string;
  data?: { resultType: string; result: unknown };
}

/**
 * Value of an instant query; undefined when it has none: no series, or NaN (0 divided by 0, for example).
 * See https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 * @param at milliseconds since the epoch; default: now, by Prometheus' clock
 * @throws InvalidInput when the query is wrong or gives more than one value; Forbidden, Unavailable
 */
export async function queryPrometheus(baseUrl: string, query: string, at?: number): Promise<number | undefined> {
  const url = new URL(`${baseUrl.replace(/\/$/, '')}/api/v1/query`);
  const body = new URLSearchParams({ query, ...(at === undefined ? {} : { time: String(at / 1000) }) });
  const { status, text } = await post(url, body);
  const reply = parse(text);
  if (status === 401 || status === 403)
    throw failure('Forbidden', `Prometheus at ${url.origin} refuses the worker (HTTP ${status}).`);
  if (reply?.status === 'error' && status < 500)
    throw failure('InvalidInput', `Prometheus refuses the query ${query}: ${reply.error ?? `HTTP ${status}`}`);
  if (reply?.status !== 'success' || !reply.data)
    throw failure(
      'Unavailable',
      `Prometheus at ${url.origin} answers HTTP ${status}: ${reply?.error ?? text.slice(0, 200)}`,
    );
  return valueOf(reply.data, query);
}

async function post(url: URL, body: URLSearchParams): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const { name, message, cause } = error as Error;
    const why = name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : causeOf(cause) || message;
    throw failure('Unavailable', `Prometheus at ${url.origin} cannot be asked: ${why}`);
  }
}

/** A sample is `[time, "value"]`; a vector has one per series. */
function valueOf({ resultType, result }: NonNullable<Reply['data']>, query: string): number | undefined {
  if (resultType === 'scalar') return finite((result as [number, string])[1]);
  if (resultType !== 'vector')
    throw failure('InvalidInput', `The query ${query} gives a ${resultType}, expected one value.`);
  const series = result as { value: [number, string] }[];
  if (series.length > 1)
    throw failure('InvalidInput', `The query ${query} gives ${series.length} series, expected one value: sum them.`);
  return series[0] && finite(series[0].value[1]);
}

/** Infinity is kept: an error rate against no requests is bad, not missing. */
function finite(text: string): number | undefined {
  const value = text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function causeOf(cause: unknown): string {
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : '';
}

function parse(text: string): Reply | undefined {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return undefined;
  }
}
