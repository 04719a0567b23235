import type { Catalog } from '../src/catalog/catalog.ts';
import { ROUTABLE, type Capability } from '../src/domain/capabilities.ts';

/**
 * What nobody would carry out: capabilities that workers of this task queue lack, because all of them have the same, in
 * environments whose catalog sends them to no other queue. A sentence each.
 */
export function routingGaps(
  { systems }: Catalog,
  { capabilities, taskQueue }: { capabilities: readonly Capability[]; taskQueue: string },
): string[] {
  const lacking = ROUTABLE.filter((each) => !capabilities.includes(each));
  return [...systems].flatMap(([system, { catalog }]) =>
    Object.entries(catalog.environments).flatMap(([environment, { taskQueues = {} }]) => {
      const missing = lacking.filter((each) => [undefined, taskQueue].includes(taskQueues[each]));
      return missing.length === 0
        ? []
        : [
            `${system} ${environment}: nobody carries out ${missing.join(', ')}, because workers of ${taskQueue} do not: name the queues of those that do in environments.${environment}.taskQueues`,
          ];
    }),
  );
}
