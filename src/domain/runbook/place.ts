import type { CatalogDatabase } from '../../contracts/database.ts';
import type { EnvironmentSlice } from '../../contracts/catalog.ts';
import type { CatalogRedis } from '../../contracts/redis.ts';
import type { RunbookSlice } from '../../contracts/run-runbook.ts';

/** Where the actions of a run act: the part of the slice that is sent with each. */
export function placeOf(slice: EnvironmentSlice & Pick<RunbookSlice, 'service' | 'databases' | 'redis'>): {
  environment: EnvironmentSlice;
  service?: NonNullable<RunbookSlice['service']>;
  databases: Record<string, CatalogDatabase>;
  redis: Record<string, CatalogRedis>;
} {
  const { digest, system, environment, cluster, namespace, production, prometheus, people } = slice;
  return {
    environment: {
      digest,
      system,
      environment,
      cluster,
      namespace,
      production,
      ...(prometheus ? { prometheus } : {}),
      people,
    },
    ...(slice.service ? { service: slice.service } : {}),
    databases: slice.databases,
    redis: slice.redis,
  };
}
