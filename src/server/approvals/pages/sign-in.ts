import { html } from 'hono/html';
import type { Html } from './layout.ts';

/** Where a sign-in may go on to: pages of ours, never an address that somebody put into a link. */
export const isOurs = (path: string): boolean => /^\/gates(\/[A-Za-z0-9_-]+)?$/.test(path);

export const signInLink = (path: string): Html =>
  html`<p><a class="button" href="/login${isOurs(path) ? `?to=${encodeURIComponent(path)}` : ''}">Sign in</a></p>`;
