// The audit log: what is looked for, what changed, page after page, and as a table.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { assertShown, launch, open, signIn, until } from '../lib/browser.mjs';
import { administrator } from '../lib/api.mjs';

describe('the audit log', () => {
  let browser, api, camera;
  before(async () => {
    browser = await launch();
    api = await administrator();
    camera = await api.camera('Audited');
    for (let turn = 1; turn <= 60; turn += 1) {
      await api.patch(`/api/v1/cameras/${camera.id}`, { notes: `Turn ${turn}` });
    }
    await api.patch(`/api/v1/cameras/${camera.id}`, { site: 'North', tags: ['hall', 'door'] });
  });
  after(async () => {
    await api.remove(`/api/v1/cameras/${camera.id}`);
    await browser?.close();
  });

  const entries = (page) => page.getByRole('main').getByRole('listitem');

  test('is limited to what is looked for, shows what changed, and is saved as a table', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/audit');
    await page.getByRole('combobox', { name: 'What', exact: true }).selectOption('Cameras');
    const newest = entries(page).filter({ hasText: 'Camera changed: Audited' }).first();
    await newest.getByText(/^by admin, from 127\.0\.0\.1$/).waitFor();
    await newest.getByText('2 changes').click();
    const rows = async () => (await newest.getByRole('row').allInnerTexts()).map((row) => row.split('\t').map((cell) => cell.trim()));
    assert.deepEqual(await rows(), [['What', 'Before', 'After'], ['site', 'nothing', 'North'], ['tags', 'nothing', 'hall, door']]);
    await assertShown(page, 'audit');

    await newest.getByRole('button', { name: `Only what was done to ${camera.id}` }).press('Enter');
    await until('the target is looked for', async () => (await page.getByLabel('Id of the target').inputValue()) === camera.id);
    await until('the first page is there', async () => (await entries(page).count()) === 50);
    await page.getByRole('button', { name: 'Show more' }).click();
    await until('the rest is there', async () => (await entries(page).count()) === 62);
    assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);

    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download as CSV' }).click();
    const download = await saving;
    assert.equal(download.suggestedFilename(), 'audit.csv');
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
    assert.match(lines[0], /^time,id,actor_kind,/);
    // Only what is looked for, but all of it.
    assert.equal(lines.length, 63);
    assert.ok(lines.slice(1).every((line) => line.includes(camera.id)));

    await page.getByLabel('From').fill('2099-01-01T00:00');
    await page.getByLabel('From').blur();
    await page.getByText('Nothing was done that is looked for.').waitFor();
    await page.getByRole('button', { name: 'Show everything' }).click();
    await entries(page).first().waitFor();
    await until('no time is looked for', async () => (await page.getByLabel('From').inputValue()) === '');
    await page.getByLabel('Who').selectOption('The server itself');
    await until('nobody else is left', async () => {
      const all = await entries(page).allInnerTexts();
      return all.length > 0 && !all.some((text) => text.includes('by admin'));
    });
    await page.getByLabel('Who').selectOption('admin');
    await entries(page).getByText(/^by admin, /).first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test('fits a phone', async () => {
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/audit');
    await page.getByLabel('Id of the target').fill(camera.id);
    await page.getByLabel('Id of the target').press('Enter');
    await page.getByRole('button', { name: 'Show more' }).click();
    await entries(page).filter({ hasText: 'Camera made: Audited' }).getByText('What it is since').click();
    await assertShown(page, 'audit-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
