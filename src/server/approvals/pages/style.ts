import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const CSS = readFileSync(new URL('style.css', import.meta.url), 'utf8');

/** The style sheet, at a path that changes with it: browsers may keep it for ever. */
export const STYLE = {
  css: CSS,
  path: `/style-${createHash('sha256').update(CSS).digest('hex').slice(0, 12)}.css`,
};
