import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { APPEARS_WITHIN_MS, launchChromium } from './chromium.ts';

/** For a procedure to get somewhere. */
const COMES_WITHIN_MS = 90_000;

export interface StartForm {
  workflowId: string;
  taskQueue: string;
  workflowType: string;
  input: string;
}

/** The Temporal UI as a person uses it: by what is written on the page. */
export interface TemporalUi {
  page: Page;
  /** Fills and sends the form Start Workflow. @returns where the notice of its success leads */
  startWorkflow(form: StartForm): Promise<string>;
  /** Opens the run at a path, by default the latest of a workflow that is in lists already. */
  openWorkflow(workflowId: string, path?: string): Promise<void>;
  openTab(name: string): Promise<void>;
  /** The current details as they are rendered, once they contain a text. */
  currentDetails(containing: string | RegExp): Promise<string>;
  /** What copying a code block of the current details gives. */
  codeBlock(index: number): Promise<string>;
  /** Chooses a signal of the drop-down list by its name and sends it. @returns what the list says of it */
  sendSignal(name: string, input: string): Promise<string>;
  /** The result on the tab Timeline. */
  result(): Promise<string>;
  /** Waits for a line of the tab Timeline; only those in sight are on the page. */
  untilTimelineShows(text: string): Promise<void>;
  /** Waits for the state that the head of the page shows. */
  untilStatus(status: string): Promise<void>;
  /** Saves what the browser shows to reports/. @returns the file */
  keepScreenshot(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Opens the Temporal UI at `url` in a browser without a window. */
export async function openTemporalUi(url: string, namespace: string): Promise<TemporalUi> {
  const browser = await launchChromium();
  const context = await browser.newContext({
    viewport: { width: 1400, height: 1000 },
    colorScheme: 'light',
    timezoneId: 'UTC',
    locale: 'en-US',
  });
  context.setDefaultTimeout(APPEARS_WITHIN_MS);
  const page = await context.newPage();
  /** Opens a page; now and then the UI says "Internal Error" while it loads, and a person would reload it. */
  const visit = async (path: string, sign: Locator): Promise<void> => {
    const trouble = page.getByText("Uh oh. There's an error.");
    for (let attempt = 1; attempt <= 5; attempt++) {
      await page.goto(new URL(path, url).href);
      await sign.or(trouble).first().waitFor();
      if (!(await trouble.isVisible())) return;
    }
    throw new Error(`the Temporal UI shows an error at ${path}`);
  };
  const workflows = `/namespaces/${namespace}/workflows`;
  const current = page.frameLocator('#user-metadata-current-details');

  return {
    page,
    async startWorkflow({ workflowId, taskQueue, workflowType, input }) {
      const form = page.getByRole('button', { name: 'Start Workflow' });
      await visit(`${workflows}/start-workflow`, form);
      await page.getByRole('textbox', { name: 'Workflow ID' }).fill(workflowId);
      await page.getByRole('textbox', { name: 'Task Queue' }).fill(taskQueue);
      await page.getByRole('textbox', { name: 'Workflow Type' }).fill(workflowType);
      await page.getByRole('textbox', { name: 'Data' }).fill(input);
      await form.click();
      const started = await page.getByRole('link', { name: 'Workflow started successfully' }).getAttribute('href');
      if (!started) throw new Error('the notice of the workflow that was started leads nowhere');
      return started;
    },
    openWorkflow: (workflowId, path = `${workflows}/${encodeURIComponent(workflowId)}`) =>
      visit(path, page.getByRole('heading', { name: workflowId })),
    async openTab(name) {
      await page.getByRole('tab', { name }).click();
    },
    async currentDetails(containing) {
      const deadline = Date.now() + COMES_WITHIN_MS;
      for (;;) {
        const text = await current.locator('main').innerText();
        if (typeof containing === 'string' ? text.includes(containing) : containing.test(text)) return text;
        if (Date.now() > deadline) throw new Error(`the current details do not say ${String(containing)}:\n${text}`);
        // They do not follow by themselves; the page says which key asks for them again.
        const asked = page.waitForResponse(/\/query\//);
        await page.keyboard.press('r');
        await asked;
      }
    },
    codeBlock: (index) => current.locator('pre').nth(index).innerText(),
    async sendSignal(name, input) {
      await page.getByRole('button', { name: 'More Actions' }).click();
      await page.getByRole('menuitem', { name: 'Send a Signal' }).click();
      const dialog = page.getByRole('dialog', { name: 'Send a Signal' });
      await dialog.getByRole('button', { name: 'Select a signal' }).click();
      const option = dialog.getByRole('option', { name: new RegExp(`^${name} `) });
      const description = await option.innerText();
      await option.click();
      await dialog.getByRole('textbox', { name: 'Data' }).fill(input);
      await dialog.getByRole('button', { name: 'Submit' }).click();
      await dialog.waitFor({ state: 'hidden' });
      return description;
    },
    result: () => page.getByRole('textbox', { name: 'Result' }).innerText(),
    untilTimelineShows: (text) => page.getByRole('listitem').filter({ hasText: text }).first().waitFor(),
    async untilStatus(status) {
      const shown = page.getByRole('status').filter({ hasText: status });
      await shown.waitFor({ timeout: COMES_WITHIN_MS }).catch(async (error: unknown) => {
        throw new Error(`${page.url()} does not say ${status}:\n${await page.innerText('body')}`, { cause: error });
      });
    },
    async keepScreenshot(name) {
      const folder = join(import.meta.dirname, '../../reports');
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path });
      return path;
    },
    close: () => browser.close(),
  };
}
