import { windlass } from '../support/cli.ts';
import { SCRIPTS } from '../../scripts/help.ts';
import { blocks, documents, inlineCode } from './documents.ts';

// A command line that is wrong fails before the configuration is read; one that is understood fails at this one.
const UNUSABLE = { TEMPORAL_CONFIG_FILE: import.meta.filename };

const lines = documents().flatMap((document) =>
  blocks(document, 'sh')
    .flatMap((block) => block.split('\n'))
    .map((line) => ({ file: document.file, line: line.replace(/\s+#.*$/, '').trim() })),
);
const commandLines = lines
  .filter(({ line }) => /^(npx )?windlass /.test(line))
  .map(({ file, line }) => ({ file, line: line.replace(/^npx /, '') }));

/** Words as a shell makes them of a command line with double quotes. */
const wordsOf = (line: string): string[] =>
  (line.match(/(?:"[^"]*"|[^\s"])+/g) ?? []).map((word) => word.replaceAll('"', ''));

test('the documentation shows command lines', () => {
  expect(commandLines.length).toBeGreaterThan(5);
});

// What is in the program itself is told without a server, and so without a configuration.
const answeredHere = commandLines.filter(({ line }) => /^windlass (actions |audit schema)/.test(line));
// What works on files alone finds none.
const onFiles = commandLines.filter(({ line }) => line.startsWith('windlass audit verify '));
// What is about the login of this machine needs no server; nobody is logged in.
const onLogin = commandLines.filter(({ line }) => /^windlass (whoami|logout)$/.test(line));
const asked = commandLines.filter((each) => ![...answeredHere, ...onFiles, ...onLogin].includes(each));

test.each(answeredHere)('$file: `$line` answers', async ({ line }) => {
  expect(await windlass([...wordsOf(line).slice(1), '--json'], { env: UNUSABLE })).toMatchObject({ code: 0, err: '' });
});

test.each(onFiles)('$file: `$line` is understood', async ({ line }) => {
  const { code, out } = await windlass([...wordsOf(line).slice(1), '--json'], { env: UNUSABLE });
  expect({ code, answer: JSON.parse(out) as unknown }).toMatchObject({
    code: 1,
    answer: { error: { code: 'not-found' } },
  });
});

test.each(onLogin)('$file: `$line` is understood', async ({ line }) => {
  const env = { ...UNUSABLE, WINDLASS_STATE: '/nowhere' };
  const { code, out } = await windlass([...wordsOf(line).slice(1), '--json'], { env });
  expect({ code, answer: JSON.parse(out) as unknown }).toMatchObject(
    line === 'windlass logout'
      ? { code: 0, answer: { loggedIn: false } }
      : { code: 1, answer: { error: { code: 'not-allowed' } } },
  );
});

test.each(asked)('$file: `$line` is understood', async ({ line }) => {
  const { code, out, err } = await windlass([...wordsOf(line).slice(1), '--json'], { env: UNUSABLE });
  expect({ code, answer: JSON.parse(out) as unknown, err }).toMatchObject({
    code: 1,
    answer: { error: { code: 'configuration-invalid' } },
  });
});

test('a command line that does not exist is told from one that is understood', async () => {
  expect((await windlass(['deploy', '--colour', 'green', '--json'], { env: UNUSABLE })).code).toBe(2);
});

const scripts = documents().flatMap((document) => {
  const code = [...inlineCode(document), ...blocks(document, 'sh'), ...blocks(document, '')].join('\n');
  return [...code.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => ({ file: document.file, script: script! }));
});

test.each(scripts)('$file: npm run $script exists', ({ script }) => {
  expect(Object.keys(SCRIPTS)).toContain(script);
});
