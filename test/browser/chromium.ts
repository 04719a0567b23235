import { chromium, type Browser } from 'playwright-core';
import { ensureChromium } from '../../scripts/sandbox/debian-packages.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** For one thing to appear: generous, because a busy machine is slow and not wrong. */
export const APPEARS_WITHIN_MS = 30_000;

/** A browser without a window. */
export const launchChromium = async (): Promise<Browser> =>
  chromium.launch({ executablePath: await ensureChromium(), args: FLAGS });
