import { html } from 'hono/html';

/** Escaped HTML: every `${…}` of a template `html` is escaped, but for what is such HTML already. */
export type Html = ReturnType<typeof html>;

export interface Layout {
  title: string;
  /** Where styles are; its name changes with its content. */
  style: string;
  /** Who is signed in, and the token of their session. */
  session?: { name: string; csrf: string };
}

/** A whole page. There is no script, so that none can be injected. */
export const page = ({ title, style, session }: Layout, body: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Windlass</title>
        <link rel="stylesheet" href="${style}" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <nav aria-label="Windlass"><a href="/gates">Windlass approvals</a></nav>
          ${
            session
              ? html`<form method="post" action="/logout">
                  <input type="hidden" name="csrf" value="${session.csrf}" />
                  <span>${session.name}</span> <button class="quiet">Sign out</button>
                </form>`
              : ''
          }
        </header>
        <main id="main" tabindex="-1">${body}</main>
      </body>
    </html>`;

/** A page that says something and no more. */
export const message = (layout: Layout, text: string, more: Html | '' = ''): Html =>
  page(
    layout,
    html`<h1>${layout.title}</h1>
      <p>${text}</p>
      ${more}`,
  );

/** A row of a `dl`. */
export const term = (label: string, text: Html | string): Html =>
  html`<div>
    <dt>${label}</dt>
    <dd>${text}</dd>
  </div>`;
