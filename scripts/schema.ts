// npm run schema: writes what follows from the code: systems/schema.json, by which editors complete and check the
// catalog's files, docs/actions.md, and from the rules of the Helm chart the manifests of deploy/rbac.
import { writeFileSync } from 'node:fs';
import { actionsText } from '../src/catalog/actions-text.ts';
import { schemaText } from '../src/catalog/json-schema.ts';
import { rbacManifests } from './rbac.ts';

const WRITTEN = { 'systems/schema.json': schemaText, 'docs/actions.md': actionsText, ...rbacManifests() };

for (const [file, text] of Object.entries(WRITTEN)) {
  writeFileSync(new URL(`../${file}`, import.meta.url), text());
  console.log(`${file} written`);
}
