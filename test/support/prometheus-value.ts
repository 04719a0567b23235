import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';

/** Value of an instant query that gives one; NaN when there is none. */
export async function valueOf(query: string): Promise<number> {
  const answer = await fetch(`${readEndpoints().prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1]);
}
