import { z } from 'zod';
import { isAllowed } from './licenses.ts';

/** An entry of `packages` in package-lock.json, by its path. */
export type LockedPackages = Record<string, { version?: string; dev?: boolean; link?: boolean }>;

const component = z.object({
  'bom-ref': z.string(),
  type: z.literal('library'),
  name: z.string(),
  version: z.string(),
  purl: z.string().startsWith('pkg:npm/'),
  hashes: z.array(z.object({ alg: z.string(), content: z.string().min(1) })).min(1),
  properties: z.array(z.object({ name: z.string(), value: z.string() })),
  licenses: z
    .array(z.object({ expression: z.string() }).or(z.object({ license: z.object({ id: z.string() }) })))
    .optional(),
});

/** What we need of a bill of materials in CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json); npm adds more. */
const bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  serialNumber: z.string().startsWith('urn:uuid:'),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string(), purl: z.string() }) }),
  components: z.array(component.loose()),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
export type Sbom = z.output<typeof bill>;

/**
 * The bill of what an installation gets, of one of everything: npm's own `--omit dev` also leaves out what both need.
 * @param everything what `npm sbom --package-lock-only --sbom-format cyclonedx` prints
 * @throws ZodError when it is no bill, or a package lacks version or checksum
 */
export function withoutDevelopment(everything: unknown, lock: LockedPackages): Sbom {
  const sbom = bill.parse(everything);
  const kept = new Set(installed(lock));
  const components = sbom.components.filter(({ name, version }) => kept.has(`${name}@${version}`));
  const refs = new Set([sbom.metadata.component['bom-ref'], ...components.map((each) => each['bom-ref'])]);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) }));
  return { ...sbom, components, dependencies };
}

/** What is wrong with it, a line each: packages of the lock file that it lacks, and licenses nobody has agreed to. */
export function faultsOf({ components }: Sbom, lock: LockedPackages): string[] {
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const missing = installed(lock).filter((each) => !listed.has(each));
  const refused = components.filter((each) => !isAllowed(each.name, licenseOf(each)));
  return [
    ...missing.map((each) => `${each} is installed, but not in the bill of materials`),
    ...refused.map(
      (each) =>
        `${each.name}@${each.version} has the license ${licenseOf(each) ?? '(none named)'}, which nobody has agreed to`,
    ),
  ];
}

/** `name@version` of what an installation without development tools has, on any platform. */
const installed = (lock: LockedPackages): string[] =>
  Object.entries(lock)
    .filter(([path, { dev, link }]) => path !== '' && !dev && !link)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`);

function licenseOf({ licenses }: Sbom['components'][number]): string | undefined {
  const names = (licenses ?? []).map((each) => ('expression' in each ? each.expression : each.license.id));
  return names.length > 0 ? names.join(' AND ') : undefined;
}
