// A headless Chromium whose pages tell everything that goes wrong in them.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Where the installation is, and who signs in. */
export const world = {
  url: setting('CLOUDCAM_URL'),
  login: setting('CLOUDCAM_LOGIN'),
  password: setting('CLOUDCAM_PASSWORD'),
  /** Name of the camera to watch; the first of the list otherwise. */
  camera: process.env.CLOUDCAM_CAMERA,
};

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need a running installation`);
  return value.replace(/\/$/, '');
}

/** Starts Chromium with a profile of its own. */
export function launch() {
  const executablePath = process.env.CLOUDCAM_CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/**
 * A page in a context of its own. `faults` collects console errors, uncaught errors and violations of the
 * content security policy.
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error}`));
  await page.exposeFunction('reportViolation', (text) => faults.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  page.setDefaultTimeout(20_000);
  return { page, faults, close: () => context.close() };
}

// The server takes ten attempts of one login at once, then one every six seconds. Some tests use one on purpose.
const TURNS = { most: 7, everyMs: 6_500 };
let turns = TURNS.most;
let counted = Date.now();

/** Waits until another sign-in is not refused as one too many. */
export async function turn() {
  for (;;) {
    const now = Date.now();
    turns = Math.min(TURNS.most, turns + (now - counted) / TURNS.everyMs);
    counted = now;
    if (turns >= 1) break;
    await new Promise((resolve) => setTimeout(resolve, (1 - turns) * TURNS.everyMs));
  }
  turns -= 1;
}

/** Signs in on the page at `path`. */
export async function signIn(page, path) {
  await turn();
  await page.goto(world.url + path);
  await page.getByLabel('Name').fill(world.login);
  await page.getByLabel('Password').fill(world.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Saves what is seen, when CLOUDCAM_SCREENSHOTS names a folder. */
export async function shoot(page, name) {
  const folder = process.env.CLOUDCAM_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Nothing of WCAG 2.2 AA that a program can see is violated. */
export async function assertAccessible(page) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
  });
  assert.deepEqual(violations, []);
}

/** Nothing has to be scrolled sideways. */
export async function assertFits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `the page is ${content} px wide in a window of ${window} px`);
}

/** What is seen fits its window and violates nothing, in light and in dark. */
export async function assertShown(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await assertFits(page);
    await assertAccessible(page);
    await shoot(page, `${name}-${colorScheme}`);
  }
}

/** Waits for a fact; tells the last thing seen when it does not come true. */
export async function until(what, look, { seconds = 30 } = {}) {
  const deadline = Date.now() + seconds * 1000;
  let seen;
  while (Date.now() < deadline) {
    seen = await look();
    if (seen === true || seen?.done) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${what}: not within ${seconds} s; last seen: ${JSON.stringify(seen)}`);
}
