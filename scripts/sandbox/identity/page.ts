import { readFileSync } from 'node:fs';
import { html, raw } from 'hono/html';

const CSS = readFileSync(new URL('page.css', import.meta.url), 'utf8');

export interface SignInPage {
  /** Of the program that wants to know who somebody is. */
  client: string;
  /** Names of those who can sign in. */
  people: string[];
  /** What was sent and did not do. */
  failed?: { name: string };
}

/** Where a person signs in. Without a script; the focus is on what must be typed next. */
export async function signInPage({ client, people, failed }: SignInPage): Promise<string> {
  const fault = failed && 'Name and password do not go together.';
  return String(
    await html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${failed ? 'Not signed in' : 'Sign in'} · Sandbox</title>
          <style>
            ${raw(CSS)}
          </style>
        </head>
        <body>
          <main>
            <h1>Sign in to the sandbox</h1>
            <p class="dim">${client} asks who you are.</p>
            ${fault ? html`<p class="fault" id="fault" role="alert">${fault}</p>` : ''}
            <form method="post">
              <label for="login">Name</label>
              <input
                ${attributes(failed ? { value: failed.name, 'aria-describedby': 'fault' } : { autofocus: '' })}
                id="login"
                name="login"
                autocomplete="username"
                autocapitalize="none"
                spellcheck="false"
                required
              />
              <label for="password">Password</label>
              <input
                ${attributes(failed ? { autofocus: '', 'aria-describedby': 'fault' } : {})}
                id="password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
              />
              <button>Sign in</button>
            </form>
            <p class="dim">The password is the name. There are ${people.join(', ')}.</p>
          </main>
        </body>
      </html>`,
  );
}

const attributes = (given: Record<string, string>) =>
  Object.entries(given).map(([name, value]) => html`${raw(name)}="${value}" `);
