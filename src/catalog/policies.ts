import type { CatalogGate } from '../contracts/catalog-parts.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';

type Policies = SystemCatalog['policies'];

/** The policies as they are in one environment: without the gates that are asked elsewhere only. */
export function policiesIn(policies: Policies, environment: string): Policies {
  const here = (gates: CatalogGate[]): CatalogGate[] =>
    gates.filter(({ environments }) => environments === undefined || environments.includes(environment));
  const { deployRelease, rollBackRelease, restoreDatabase } = policies;
  return {
    ...policies,
    deployRelease: {
      ...deployRelease,
      gates: here(deployRelease.gates),
      promotion: here(deployRelease.promotion),
    },
    rollBackRelease: { ...rollBackRelease, gates: here(rollBackRelease.gates) },
    restoreDatabase: { ...restoreDatabase, gates: here(restoreDatabase.gates) },
  };
}
