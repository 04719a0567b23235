import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { accounts } from '../../scripts/sandbox/identity/accounts.ts';
import { CLIENT, startProvider, type RunningProvider } from '../../scripts/sandbox/identity/provider.ts';
import { windlass } from '../support/cli.ts';
import { APPEARS_WITHIN_MS, launchChromium } from './chromium.ts';

// `windlass login`, and the page of the sandbox's provider that it leads to, in a real browser by keyboard.
// `WINDLASS_SCREENSHOTS=docs/images` keeps what the documentation shows.
const SHOTS = join(import.meta.dirname, '../..', process.env['WINDLASS_SCREENSHOTS'] ?? 'reports');

let provider: RunningProvider;
let browser: Browser;
let page: Page;
let home: string;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  home = mkdtempSync(join(tmpdir(), 'windlass-sign-in-'));
  provider = await startProvider({ port: 0, accounts });
  browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 900, height: 600 }, colorScheme: 'light', locale: 'en-US' }); // prettier-ignore
  context.setDefaultTimeout(APPEARS_WITHIN_MS);
  page = await context.newPage();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await provider?.close();
  rmSync(home, { recursive: true });
}, 60_000);

const env = () => ({ WINDLASS_STATE: home, WINDLASS_OIDC_ISSUER: provider.issuer, WINDLASS_OIDC_CLIENT_ID: CLIENT });
const shoot = (name: string) =>
  page.locator('body').screenshot({ path: join(SHOTS, `${name}.png`), animations: 'disabled' });
const evaluate = <T>(text: string): Promise<T> => page.evaluate<T>(text);
const focused = (): Promise<string> => evaluate('document.activeElement.labels?.[0]?.innerText ?? ""');
const overflow = (): Promise<number> =>
  evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

test('windlass login leads to a page where a person signs in by keyboard, is told what was wrong, and is back at the terminal', async () => {
  let printed = (_: string): void => undefined;
  const address = new Promise<string>((resolve) => (printed = resolve));
  const login = windlass(['login'], {
    env: env(),
    onOutput: ({ err }) => {
      const [found] = /http:\S+\/auth\?\S+/.exec(err) ?? [];
      if (found) printed(found);
    },
  });
  await page.goto(await address);
  await page.getByRole('heading', { name: 'Sign in to the sandbox' }).waitFor();
  expect(await evaluate('document.documentElement.lang')).toBe('en');
  expect(await focused()).toBe('Name');
  await shoot('provider-sign-in');

  await page.keyboard.type('ana"><b>');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Password');
  await page.keyboard.type('guessed');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Name and password do not go together.' }).waitFor();
  // What was typed is text, and what must be typed again has the focus.
  expect(await page.getByLabel('Name').inputValue()).toBe('ana"><b>');
  expect(await focused()).toBe('Password');

  await page.setViewportSize({ width: 400, height: 700 });
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await overflow()).toBeLessThanOrEqual(0);
  await shoot('provider-narrow');

  await page.keyboard.press('Shift+Tab');
  expect(await focused()).toBe('Name');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('ana');
  await page.keyboard.press('Tab');
  await page.keyboard.type('ana');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('You may close this page and go back to the terminal.').waitFor();
  expect(await login).toMatchObject({
    code: 0,
    out: expect.stringContaining(`Logged in as ana@sandbox.example at ${provider.issuer}`),
  });
  expect((await windlass(['whoami'], { env: env() })).out).toContain('Logged in as ana@sandbox.example');
}, 120_000);
