// npm run schema: writes what follows from the code: systems/schema.json, by which editors complete and check the
// catalog's files, and docs/actions.md.
import { writeFileSync } from 'node:fs';
import { actionsText } from '../src/catalog/actions-text.ts';
import { schemaText } from '../src/catalog/json-schema.ts';

const WRITTEN = { 'systems/schema.json': schemaText, 'docs/actions.md': actionsText };

for (const [file, text] of Object.entries(WRITTEN)) {
  writeFileSync(new URL(`../${file}`, import.meta.url), text());
  console.log(`${file} written`);
}
