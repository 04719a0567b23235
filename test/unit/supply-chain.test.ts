import { auditVerdict } from '../../scripts/supply-chain/audit.ts';
import { isAllowed } from '../../scripts/supply-chain/licenses.ts';
import { faultsOf, withoutDevelopment } from '../../scripts/supply-chain/sbom.ts';

test.each([
  ['zod', 'MIT', true],
  ['anything', 'Apache-2.0 AND MIT', true],
  ['anything', 'Apache-2.0 AND GPL-3.0-only', false],
  ['anything', '(GPL-3.0-only OR MIT)', true],
  ['anything', 'AGPL-3.0-only', false],
  ['anything', undefined, false],
  ['unionfs', undefined, true],
  ['unionfs', 'GPL-3.0-only', false],
  ['caniuse-lite', 'CC-BY-4.0', true],
  ['anything', 'CC-BY-4.0', false],
])('a package %s under %s may be part of it: %s', (name, license, allowed) => {
  expect(isAllowed(name, license)).toBe(allowed);
});

const component = (name: string, id?: string) => ({
  ...{ 'bom-ref': `${name}@1.0.0`, type: 'library', name, version: '1.0.0', purl: `pkg:npm/${name}@1.0.0` },
  ...{ hashes: [{ alg: 'SHA-512', content: 'ab' }], properties: [] },
  ...(id ? { licenses: [{ license: { id } }] } : {}),
});
const bill = (...components: object[]) => ({
  ...{ bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: 'urn:uuid:1', components },
  metadata: { component: { 'bom-ref': 'own@1.0.0', name: 'own', purl: 'pkg:npm/own@1.0.0' } },
  dependencies: [
    { ref: 'own@1.0.0', dependsOn: ['@a/used@1.0.0', 'tool@1.0.0'] },
    { ref: 'tool@1.0.0', dependsOn: [] },
  ],
});
const LOCK = {
  '': { version: '1.0.0' },
  'node_modules/@a/used': { version: '1.0.0' },
  'node_modules/tool': { version: '1.0.0', dev: true },
};

test('development tools are not in the bill of materials, nor what depends on them', () => {
  const sbom = withoutDevelopment(bill(component('@a/used', 'MIT'), component('tool', 'GPL-3.0-only')), LOCK);
  expect(sbom.components.map(({ name }) => name)).toEqual(['@a/used']);
  expect(sbom.dependencies).toEqual([{ ref: 'own@1.0.0', dependsOn: ['@a/used@1.0.0'] }]);
  expect(faultsOf(sbom, LOCK)).toEqual([]);
});

test('a package of the lock file that is not in the bill is a fault', () => {
  const lock = { ...LOCK, 'node_modules/tool/node_modules/lost': { version: '2.0.0' } };
  expect(faultsOf(withoutDevelopment(bill(component('@a/used', 'MIT')), lock), lock)).toEqual([
    'lost@2.0.0 is installed, but not in the bill of materials',
  ]);
});

test('a license that nobody has agreed to is a fault that names the package', () => {
  expect(faultsOf(withoutDevelopment(bill(component('@a/used', 'GPL-3.0-only')), LOCK), LOCK)).toEqual([
    '@a/used@1.0.0 has the license GPL-3.0-only, which nobody has agreed to',
  ]);
});

test('a bill whose packages have no checksums is none', () => {
  expect(() => withoutDevelopment(bill({ ...component('@a/used', 'MIT'), hashes: [] }), LOCK)).toThrow('hashes');
});

test('a registry that was not reached, refused or said nonsense leaves vulnerabilities unknown', () => {
  expect(auditVerdict(undefined)).toEqual({ kind: 'unknown', why: 'the registry did not answer in time' });
  const refused = { message: '405 - POST https://registry.example/', statusCode: 405, error: { summary: '' } };
  expect(auditVerdict(JSON.stringify(refused))).toEqual({ kind: 'unknown', why: 'the registry answered 405' });
  expect(auditVerdict('{"error":{"code":"ENETUNREACH"}}')).toMatchObject({ kind: 'unknown', why: expect.stringContaining('ENETUNREACH') }); // prettier-ignore
  expect(auditVerdict('')).toMatchObject({ kind: 'unknown' });
});

const vulnerable = (severity: string) => {
  const via = [{ title: 'Prototype pollution', severity, source: 1 }];
  return JSON.stringify({ vulnerabilities: { lodash: { name: 'lodash', severity, range: '<4', via } } });
};

test('what the registry knows is named, and only what is serious fails', () => {
  expect(auditVerdict('{"vulnerabilities":{}}')).toEqual({ kind: 'clean' });
  const lines = (severity: string) => [`lodash <4: ${severity}: Prototype pollution`];
  expect(auditVerdict(vulnerable('high'))).toEqual({ kind: 'found', lines: lines('high'), serious: true });
  expect(auditVerdict(vulnerable('low'))).toEqual({ kind: 'found', lines: lines('low'), serious: false });
});
