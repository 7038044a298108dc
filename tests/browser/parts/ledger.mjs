// The page of completeness.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertFits, launch, open, shoot, signIn } from '../lib/browser.mjs';

const DAY = 86_400_000;
const MINUTE = 60_000;

describe('the completeness of footage', () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  const figures = (planned, footage, camera, unknown) => ({
    planned_ms: planned,
    footage_ms: footage,
    gaps_ms: camera ? { camera } : {},
    unknown_ms: unknown,
    covered_percent: (100 * footage) / planned,
    explained_percent: (100 * (planned - unknown)) / planned,
  });

  /** The server counts minutes behind: what it will say is said by the test. */
  const say = (page, days) => page.route('**/api/v1/completeness?*', (route) => {
    const sum = (key) => days.reduce((all, { figures: one }) => all + one[key], 0);
    const camera = days.reduce((all, { figures: one }) => all + (one.gaps_ms.camera ?? 0), 0);
    const total = figures(sum('planned_ms'), sum('footage_ms'), camera, sum('unknown_ms'));
    return route.fulfill({ json: { days, total } });
  });

  test('is asked of the server', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    const answer = page.waitForResponse(/\/api\/v1\/completeness\?/);
    await page.getByRole('link', { name: 'Completeness' }).click();
    const response = await answer;
    assert.equal(response.status(), 200);
    const asked = new URL(response.url()).searchParams;
    assert.equal(Date.parse(asked.get('to')) - Date.parse(asked.get('from')), 30 * DAY);
    const { days } = await response.json();
    if (days.length === 0) await page.getByText(/^Nothing was to be recorded in these days/).waitFor();
    else await page.getByRole('row').nth(days.length).waitFor();
    const again = page.waitForResponse(/\/api\/v1\/completeness\?.*camera=/);
    await page.getByLabel('Camera').selectOption({ index: 1 });
    assert.equal((await again).status(), 200);
    assert.deepEqual(faults, []);
    await close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`shows each day, calls unknown time out and fits a phone, ${colorScheme}`, async () => {
      const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme });
      await say(page, [
        { day: '2026-01-01', figures: figures(DAY, DAY, 0, 0) },
        { day: '2026-01-02', figures: figures(DAY, DAY - 90 * MINUTE, 80 * MINUTE, 10 * MINUTE) },
        { day: '2026-01-03', figures: figures(DAY, DAY - 1, 1, 0) },
      ]);
      await signIn(page, '/#/ledger');
      const alert = page.getByRole('alert');
      assert.match(await alert.innerText(), /^10 min 0 s unknown: .* nobody can say why/);
      const rows = page.getByRole('row');
      // The newest day stands first; no share is rounded up.
      assert.deepEqual((await rows.nth(1).innerText()).split(/\s+/), ['2026-01-03', '99.99', '%', '–']);
      assert.match(await rows.nth(2).innerText(), /10 min 0 s/);
      assert.match(await rows.nth(3).innerText(), /100 %/);
      const bar = rows.nth(2).getByRole('img', { name: '22 h 30 min of footage, 1 h 20 min of explained gaps, 10 min 0 s unknown' });
      assert.equal(await bar.locator('rect').count(), 3);
      assert.equal(await page.getByLabel('Camera').locator('option:checked').innerText(), 'All cameras');
      await assertFits(page);
      // No cell is wider than its column.
      assert.deepEqual(await page.locator('.ledger th, .ledger td').evaluateAll((cells) => cells
        .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText)), []);
      await assertAccessible(page);
      await shoot(page, `ledger-phone-${colorScheme}`);
      if (colorScheme === 'light') {
        await page.setViewportSize({ width: 1280, height: 900 });
        await shoot(page, 'ledger');
      }
      assert.deepEqual(faults, []);
      await close();
    });
  }

  test('says so when nothing is unknown', async () => {
    const { page, faults, close } = await open(browser);
    await say(page, [{ day: '2026-01-01', figures: figures(DAY, DAY, 0, 0) }]);
    await signIn(page, '/#/ledger');
    await page.getByText('All planned time is footage or an explained gap.').waitFor();
    assert.deepEqual(faults, []);
    await close();
  });
});
