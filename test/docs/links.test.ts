import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents, ROOT, type Document } from './documents.ts';

/** Anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = ({ text }: Document): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchorOf(title!));

const all = documents();
const links = all.flatMap(({ file, text }) =>
  [...text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => ({ file, target: target! }))
    .filter(({ target }) => !/^[a-z]+:/.test(target)),
);

test('the documentation has links of its own', () => {
  expect(links.length).toBeGreaterThan(5);
});

test.each(links)('$file: $target leads somewhere', ({ file, target }) => {
  const [path, anchor] = target.split('#') as [string, string | undefined];
  const to = path === '' ? file : join(dirname(file), path);
  expect(existsSync(join(ROOT, to))).toBe(true);
  const document = all.find((each) => each.file === to);
  if (anchor && document) expect(anchorsOf(document)).toContain(anchor);
});
