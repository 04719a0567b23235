// The sandbox's OpenID provider: main.ts --port PORT [--redirect URL]…
import { parseArgs } from 'node:util';
import { accounts } from './accounts.ts';
import { startProvider } from './provider.ts';

const { values } = parseArgs({
  options: { port: { type: 'string' }, redirect: { type: 'string', multiple: true, default: [] } },
});
if (!values.port) {
  console.error('expected --port PORT [--redirect URL]…');
  process.exit(2);
}
const provider = await startProvider({ port: Number(values.port), accounts, redirects: values.redirect });
console.log(JSON.stringify({ level: 'info', msg: 'listening', issuer: provider.issuer }));
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void provider.close().then(() => process.exit(0)));
