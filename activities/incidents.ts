import { isFailure } from '../src/adapters/failure.ts';
import { queryPrometheus } from '../src/adapters/prometheus.ts';
import { formerResults } from '../src/adapters/temporal.ts';
import type { HandleIncidentResult, IncidentSlice } from '../src/contracts/handle-incident.ts';
import { fillQuery } from '../src/domain/release/query.ts';
import type { Dependencies } from './dependencies.ts';

/** Incidents of one service whose alerts are remembered; a webhook older than that is nobody's retry any more. */
const REMEMBERED_INCIDENTS = 20;

export function createIncidentActivities({ temporal }: Pick<Dependencies, 'temporal'>) {
  return {
    /**
     * Measures the facts by which severity is decided. One that cannot be measured is left out and named in `missing`:
     * an incident does not wait for a Prometheus that is part of it. Looks only.
     */
    async measureFacts({
      slice,
    }: {
      slice: IncidentSlice;
    }): Promise<{ facts: Record<string, number>; missing: string[] }> {
      const { prometheus, namespace, service = '', policy } = slice;
      const measured = await Promise.all(
        policy.facts.map(async ({ name, query }) => {
          try {
            const value = prometheus && (await queryPrometheus(prometheus, fillQuery(query, { namespace, service })));
            return { name, value: typeof value === 'number' ? Math.min(value, Number.MAX_VALUE) : undefined };
          } catch (error) {
            if (isFailure(error, 'InvalidInput', 'Forbidden', 'Unavailable')) return { name, fault: error.message };
            throw error;
          }
        }),
      );
      return {
        facts: Object.fromEntries(
          measured.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
        ),
        missing: measured.flatMap(({ name, fault }) => (fault ? [`${name}: ${fault}`] : [])),
      };
    },

    /** Keys of the alerts that earlier incidents of this workflow id handled. Looks only. */
    async formerAlerts({ workflowId }: { workflowId: string }): Promise<string[]> {
      const results = await formerResults<HandleIncidentResult>(temporal, workflowId, REMEMBERED_INCIDENTS);
      return [...new Set(results.flatMap(({ handled }) => handled ?? []))];
    },
  };
}
