// The page of a camera: its recording jobs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertFits, launch, open, shoot, signIn } from '../lib/browser.mjs';
import { client, watched } from '../lib/footage.mjs';

describe('recording jobs', () => {
  let browser, get, camera;
  before(async () => {
    browser = await launch();
    get = await client();
    camera = await watched(get);
  });
  after(() => browser?.close());

  const job = (page, name) => page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
  const path = () => `/#/cameras/${camera.id}`;
  const saved = async () => (await get(`/api/v1/cameras/${camera.id}/recording-jobs`)).items;

  test('are reached from the list, added with a preview, changed, switched and deleted', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await page.getByRole('link', { name: camera.name, exact: true }).click();
    await page.getByRole('heading', { name: 'Recording jobs' }).waitFor();
    await page.getByText('There are no recording jobs.').waitFor();

    await page.getByRole('button', { name: 'Add a job' }).click();
    const form = page.getByRole('form', { name: 'Add a recording job' });
    await form.getByLabel('Name', { exact: true }).fill('Nights');
    const first = form.getByRole('group', { name: 'Window 1' });
    for (const day of ['Mon', 'Tue', 'Wed', 'Thu', 'Fri']) await first.getByLabel(day).uncheck();
    const preview = form.getByRole('status', { name: 'Next windows' });
    await preview.getByText('Choose at least one day for each window.').waitFor();
    await first.getByLabel('Sun').check();
    await first.getByLabel('From').fill('22:00');
    await first.getByLabel('To').fill('06:00');
    await form.getByText('It ends on the next day.').waitFor();
    await form.getByLabel('Time zone').fill('Europe/Berlin');
    await preview.getByText('In the time zone Europe/Berlin:').waitFor();
    const shown = preview.getByRole('listitem').first();
    await shown.waitFor();
    // A night that is under way begins now.
    assert.match(await preview.getByRole('listitem').last().innerText(), /^Sun,? .*22:00 – Mon,? .*06:00$/);
    await assertAccessible(page);
    await shoot(page, 'jobs-weekly');

    await form.getByRole('button', { name: 'Add a window' }).click();
    await form.getByRole('group', { name: 'Window 2' }).getByLabel('To').fill('12:30');
    await form.getByRole('button', { name: 'Add the job' }).click();
    const nights = job(page, 'Nights');
    await nights.getByText('Sun 22:00–06:00 (next day); Mon–Fri 08:00–12:30').waitFor();
    await shoot(page, 'camera-jobs');
    const [made] = await saved();
    assert.deepEqual(made.schedule, {
      kind: 'weekly',
      windows: [
        { days: ['sun'], from: '22:00', to: '06:00' },
        { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '12:30' },
      ],
    });
    assert.equal(made.time_zone, 'Europe/Berlin');

    await nights.getByRole('button', { name: 'Switch off' }).click();
    await nights.getByText('Off', { exact: true }).waitFor();
    assert.equal((await saved())[0].enabled, false);

    await nights.getByRole('button', { name: 'Edit' }).click();
    const edit = page.getByRole('form', { name: 'Change a recording job' });
    assert.equal(await edit.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
    await edit.getByLabel('Name', { exact: true }).fill('Every hour');
    await edit.getByLabel('When').selectOption('Cron expression');
    await edit.getByLabel(/^Cron expression/).fill('0 25 * * *');
    await edit.getByRole('status', { name: 'Next windows' }).locator('.error').waitFor();
    await edit.getByLabel(/^Cron expression/).fill('0 * * * *');
    await edit.getByLabel('Minutes to record each time').fill('1.5');
    await edit.getByRole('status', { name: 'Next windows' }).getByRole('listitem').nth(4).waitFor();
    await shoot(page, 'jobs-cron');
    await edit.getByRole('button', { name: 'Save' }).click();
    const hourly = job(page, 'Every hour');
    await hourly.getByText('Cron “0 * * * *”, 1 min 30 s each').waitFor();

    await hourly.getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('alertdialog', { name: 'Delete a recording job' });
    await question.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await saved()).length, 1);
    await hourly.getByRole('button', { name: 'Delete' }).click();
    await question.getByRole('button', { name: 'Delete the job' }).click();
    await page.getByText('There are no recording jobs.').waitFor();
    assert.deepEqual(await saved(), []);
    // The browser itself reports the previews that were refused; nothing else may be there.
    assert.deepEqual(faults.filter((fault) => !/(400|422) .*\/recording-jobs\/preview$/.test(fault)), []);
    await close();
  });

  test('run once, between two instants of the browser’s time', async () => {
    const { page, faults, close } = await open(browser, { timezoneId: 'America/New_York' });
    await signIn(page, path());
    await page.getByRole('button', { name: 'Add a job' }).click();
    const form = page.getByRole('form', { name: 'Add a recording job' });
    await form.getByLabel('Name', { exact: true }).fill('Delivery');
    await form.getByLabel('When').selectOption('Once');
    await form.getByLabel('From (America/New_York)').fill('2030-06-01T10:00');
    await form.getByLabel('To (America/New_York)').fill('2030-06-01T09:00');
    await form.getByText('The end must come after the beginning.').waitFor();
    await form.getByLabel('To (America/New_York)').fill('2030-06-01T11:00');
    await form.getByRole('button', { name: 'Add the job' }).click();
    const delivery = job(page, 'Delivery');
    await delivery.waitFor();
    const [made] = await saved();
    assert.deepEqual(made.schedule, { kind: 'once', from: Date.UTC(2030, 5, 1, 14), to: Date.UTC(2030, 5, 1, 15) });
    await delivery.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete the job' }).click();
    await delivery.waitFor({ state: 'detached' });
    assert.deepEqual(faults, []);
    await close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`fit a phone, ${colorScheme}`, async () => {
      const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme });
      await signIn(page, path());
      await page.getByRole('button', { name: 'Add a job' }).click();
      await page.getByRole('status', { name: 'Next windows' }).getByRole('listitem').first().waitFor();
      await assertFits(page);
      await assertAccessible(page);
      await shoot(page, `camera-phone-${colorScheme}`);
      assert.deepEqual(faults, []);
      await close();
    });
  }
});
