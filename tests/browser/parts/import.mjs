// Cameras from a file, and the fields of the form that say more about one.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, shoot, signIn, until } from '../lib/browser.mjs';
import { administrator } from '../lib/api.mjs';

describe('cameras', () => {
  let browser, api;
  before(async () => {
    browser = await launch();
    api = await administrator();
  });
  after(async () => {
    for (const { id, name } of (await api.get('/api/v1/cameras')).items) {
      if (/^Imported|^Detailed/.test(name)) await api.remove(`/api/v1/cameras/${id}`);
    }
    for (const { id, name } of (await api.get('/api/v1/groups')).items) {
      if (name === 'Detailed group') await api.remove(`/api/v1/groups/${id}`);
    }
    await browser?.close();
  });

  const file = (text) => ({ name: 'cameras.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  const BAD = 'name,url,time_zone,recording\n'
    + 'Imported A,rtsp://192.0.2.8/a,UTC,no\n'
    + ',rtsp://192.0.2.8/b,UTC,no\n'
    + 'Imported C,http://192.0.2.8/c,Europe/Nowhere,no\n';
  const GOOD = 'name,url,time_zone,recording\n'
    + 'Imported A,rtsp://192.0.2.8/a,UTC,no\n'
    + 'Imported B,rtsp://192.0.2.8/b,Europe/Berlin,no\n';
  const imported = async () => (await api.get('/api/v1/cameras?q=Imported')).items.map(({ name }) => name);

  test('come from a file, all of them or none, after a dry run', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await page.getByRole('link', { name: 'Import from a file' }).click();
    await page.getByText('How the file looks').click();
    await page.getByText('name,url,username').waitFor();
    await assertAccessible(page);
    await page.getByLabel('CSV file').setInputFiles(file(BAD));
    await page.getByText(/^Nothing is added: 3 problem\(s\) in 3 row\(s\)\./).waitFor();
    const rows = (await page.getByRole('row').allInnerTexts()).map((row) => row.split('\t').slice(0, 2).map((cell) => cell.trim()).join());
    assert.deepEqual(rows, ['Line,Column', '3,name', '4,url', '4,time_zone']);
    assert.equal(await page.getByRole('button', { name: /^Add/ }).count(), 0);
    await assertShown(page, 'import-bad');
    assert.deepEqual(await imported(), []);
    await page.getByLabel('CSV file').setInputFiles(file(GOOD));
    await page.getByText(/^The file is good: 2 cameras\./).waitFor();
    assert.deepEqual(await imported(), []);
    await shoot(page, 'import-good');
    await page.getByRole('button', { name: 'Add 2 cameras' }).press('Enter');
    await page.getByText('2 cameras added.').waitFor();
    assert.deepEqual(await imported(), ['Imported A', 'Imported B']);
    // The same again is there already.
    await page.getByLabel('CSV file').setInputFiles(file(GOOD));
    await page.getByText(/^Nothing is added: 2 problem\(s\)/).waitFor();
    await page.getByRole('link', { name: 'All cameras' }).click();
    await page.getByRole('link', { name: 'Imported B' }).waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test('have tags, a group, notes, sound and lengths of segments', async () => {
    const group = await api.post('/api/v1/groups', { name: 'Detailed group' });
    const camera = await api.camera('Detailed');
    const { page, faults, close } = await open(browser);
    await signIn(page, `/#/cameras/${camera.id}`);
    await page.getByRole('button', { name: 'Edit the camera' }).click();
    const form = page.getByRole('form', { name: 'Change a camera' });
    await form.getByLabel('Tags').fill('North, not a tag');
    await form.getByRole('combobox', { name: 'Group', exact: true }).selectOption('Detailed group');
    await form.getByLabel('Notes').fill('Behind the second door.');
    await form.getByLabel('Seconds of a segment').fill('4');
    await form.getByLabel('Seconds of an object').fill('120');
    await form.getByLabel('Record sound').check();
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    const tags = form.getByLabel('Tags');
    await until('a tag with blanks is refused', async () => (await tags.getAttribute('aria-invalid')) === 'true');
    await assertShown(page, 'camera-form');
    await tags.fill('North, door');
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    await form.waitFor({ state: 'detached' });
    const settings = page.getByRole('region', { name: 'Settings' });
    const fact = (name) => settings.getByRole('term').filter({ hasText: name }).locator('xpath=following-sibling::dd[1]').innerText();
    await until('the tags are shown', async () => (await fact('Tags')) === 'north, door');
    assert.equal(await fact('Group'), 'Detailed group');
    assert.equal(await fact('Notes'), 'Behind the second door.');
    assert.equal(await fact('Cut'), 'segments of 4 s in objects of 120 s');
    assert.equal(await fact('Connection'), 'TCP, with sound');
    const saved = await api.get(`/api/v1/cameras/${camera.id}`);
    assert.deepEqual([saved.group, saved.segment_s, saved.object_s, saved.audio], [group.id, 4, 120, true]);

    await page.getByRole('button', { name: 'Edit the camera' }).click();
    await form.getByRole('combobox', { name: 'Group', exact: true }).selectOption('None');
    await tags.fill('');
    await form.getByLabel('Record sound').uncheck();
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    await until('it is in no group', async () => (await fact('Group')) === 'none');
    assert.deepEqual([await fact('Tags'), await fact('Connection')], ['none', 'TCP, no sound']);
    assert.deepEqual(faults.filter((fault) => !/(400|422) .*\/api\/v1\/cameras\//.test(fault)), []);
    await close();
  });

  test('are imported on a phone', async () => {
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/import');
    await page.getByText('How the file looks').click();
    await page.getByLabel('CSV file').setInputFiles(file(BAD));
    await page.getByText(/^Nothing is added: /).waitFor();
    await assertShown(page, 'import-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
