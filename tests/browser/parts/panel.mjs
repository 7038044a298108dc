// The panel: add a camera after a test of the connection, edit it, switch recording, remove it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertFits, launch, open, shoot, signIn, until } from '../lib/browser.mjs';
import { client, watched } from '../lib/footage.mjs';

describe('the panel', () => {
  let browser, get, camera;
  before(async () => {
    browser = await launch();
    get = await client();
    camera = await watched(get);
  });
  after(() => browser?.close());

  const card = (page, name) => page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });

  test('adds, tests, edits, switches and removes a camera', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await page.getByRole('button', { name: 'Add a camera' }).click();
    const form = page.getByRole('form', { name: 'Add a camera' });
    await form.getByLabel('Name', { exact: true }).fill('Door of the browser test');
    await form.getByLabel('RTSP address').fill(camera.url);
    await form.getByRole('button', { name: 'Test the connection' }).click();
    await form.getByLabel('Site').fill('North gate');
    await form.getByLabel('Time zone').fill('Europe/Nowhere');
    await form.getByLabel('Recorded by').selectOption('Two nodes at once');
    await form.getByText(/There is one node so far: the second copy begins when another one joins\./).waitFor();
    const found = form.getByText(/^Video: /);
    await found.waitFor({ timeout: 15_000 });
    assert.match(await found.innerText(), /\d+ × \d+, [\d.]+ frames a second/);
    await assertAccessible(page);
    await shoot(page, 'panel-add');
    // By keyboard: right after a picture of a page that is longer than its window, a click misses.
    await form.getByRole('button', { name: 'Add and record' }).press('Enter');
    // What the server refuses is said where it was typed, and the cursor is there.
    const zone = form.getByLabel('Time zone');
    await until('the field is marked', async () => (await zone.getAttribute('aria-invalid')) === 'true');
    await until('the cursor is there', () => zone.evaluate((field) => field === document.activeElement));
    assert.match(await zone.evaluate((field) => field.ariaDescribedByElements.map((one) => one.innerText).join()),
      /^Unknown time zone, expected one such as Europe\/Berlin\./);
    await assertAccessible(page);
    await shoot(page, 'panel-add-refused');
    await zone.fill('Europe/Berlin');
    await zone.press('Enter');
    // The address is that of the camera that is watched.
    await form.getByRole('button', { name: 'Add it all the same' }).click();

    const door = card(page, 'Door of the browser test');
    await door.getByText('Recording', { exact: true }).waitFor();
    await shoot(page, 'panel');
    await door.getByRole('button', { name: 'Stop recording' }).click();
    await door.getByText('Recording is off').waitFor();
    await door.getByRole('button', { name: 'Record', exact: true }).click();
    await door.getByText('Recording', { exact: true }).waitFor();

    await door.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Front door');
    await page.getByRole('button', { name: 'Save' }).click();
    const renamed = card(page, 'Front door');
    await renamed.getByRole('link', { name: 'Front door' }).click();
    const settings = page.getByRole('region', { name: 'Settings' });
    const fact = (name) => settings.getByRole('term').filter({ hasText: name }).locator('xpath=following-sibling::dd[1]').innerText();
    await settings.waitFor();
    assert.equal(await fact('Site'), 'North gate');
    assert.equal(await fact('Time zone'), 'Europe/Berlin');
    assert.equal(await fact('Recorded by'), 'two nodes at once');
    await page.getByRole('button', { name: 'Edit the camera' }).click();
    const change = page.getByRole('form', { name: 'Change a camera' });
    await change.getByLabel('Recorded by').selectOption('One node');
    await change.getByLabel('Site').fill('');
    await change.getByRole('button', { name: 'Save' }).click();
    await until('it is changed', async () => (await fact('Recorded by')) === 'one node');
    assert.equal(await fact('Site'), 'none');
    await page.getByRole('link', { name: 'All cameras' }).click();
    await renamed.getByRole('button', { name: 'Remove' }).click();
    const question = page.getByRole('alertdialog');
    await shoot(page, 'panel-remove');
    await question.getByRole('button', { name: 'Keep it' }).click();
    await renamed.getByRole('button', { name: 'Remove' }).click();
    await question.getByRole('button', { name: 'Remove the camera' }).click();
    await renamed.waitFor({ state: 'detached' });
    const { items } = await get('/api/v1/cameras');
    assert.ok(!items.some(({ name }) => name === 'Front door'));
    // The browser itself reports the refused tries on the console; nothing else may be there.
    assert.deepEqual(faults.filter((fault) => !/(400|409|422) .*\/api\/v1\/cameras$/.test(fault)), []);
    await close();
  });

  test('says what failed when a camera cannot be reached', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await page.getByRole('button', { name: 'Add a camera' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Nobody');
    await page.getByLabel('RTSP address').fill('rtsp://127.0.0.1:9/nothing');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor({ timeout: 15_000 });
    assert.ok((await alert.innerText()).length > 10);
    await shoot(page, 'panel-unreachable');
    // The browser itself reports a refused request on the console; nothing else may be there.
    assert.deepEqual(faults.filter((fault) => !fault.includes('/api/v1/probe')), []);
    await close();
  });

  test('leads to the player', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await card(page, camera.name).getByRole('link', { name: 'Watch' }).click();
    await page.getByRole('slider', { name: 'Time' }).waitFor();
    assert.match(page.url(), new RegExp(`/player/\\?camera=${camera.id}$`));
    assert.deepEqual(faults, []);
    await close();
  });

  const recorded = (count) => Array.from({ length: count }, (_, index) => ({
    ...camera,
    id: `018f0000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    name: `Camera ${index}`,
    state: { state: 'recording' },
    planned: { recording: true, reason: 'switch' },
    node_online: true,
  }));

  test('follows a long list without asking for it again and again', async () => {
    const { page, faults, close } = await open(browser);
    const many = recorded(1000);
    let asked = 0;
    await page.route('**/api/v1/cameras?*', (route) => {
      asked += 1;
      return route.fulfill({ json: { items: many } });
    });
    const stream = page.waitForResponse(/\/api\/v1\/events$/);
    await signIn(page, '/');
    assert.equal((await stream).status(), 200);
    await card(page, 'Camera 999').getByText('Recording', { exact: true }).waitFor();
    // The first answer, and one when the stream opened; every three seconds would be four.
    await page.waitForTimeout(9000);
    assert.ok(asked <= 2, `the list was asked for ${asked} times`);
    assert.deepEqual(faults, []);
    await close();
  });

  test('keeps the list while the server is away, and goes on with it after', async () => {
    const { page, faults, close } = await open(browser);
    const some = recorded(20);
    let away = false;
    await page.route('**/api/v1/events', (route) => route.abort('connectionrefused'));
    await page.route('**/api/v1/cameras?*', (route) => (
      away ? route.abort('connectionrefused') : route.fulfill({ json: { items: some } })));
    await signIn(page, '/');
    const last = card(page, 'Camera 19');
    await last.getByText('Recording', { exact: true }).waitFor();
    await last.evaluate((element) => { element.marked = true; });
    away = true;
    await page.getByText('What is shown may be old.').waitFor();
    assert.ok(await last.isVisible());
    some[19] = { ...some[19], state: null, node_online: false };
    away = false;
    await page.getByText('What is shown may be old.').waitFor({ state: 'detached' });
    await last.getByText('Its recorder node is not connected; it goes on by its plan').waitFor();
    assert.ok(await last.evaluate((element) => element.marked), 'the card was drawn anew');
    // The browser itself reports what it could not load.
    assert.deepEqual(faults.filter((fault) => !/ERR_CONNECTION_REFUSED/.test(fault)), []);
    await close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`fits a phone, ${colorScheme}`, async () => {
      const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme });
      await signIn(page, '/');
      await card(page, camera.name).waitFor();
      await assertFits(page);
      await assertAccessible(page);
      await shoot(page, `panel-phone-${colorScheme}`);
      await page.getByRole('button', { name: 'Add a camera' }).click();
      await assertFits(page);
      await assertAccessible(page);
      assert.deepEqual(faults, []);
      await close();
    });
  }
});
