// Licences: issued, assigned, moved, taken back; a camera without one says that it is not recorded for that.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, shoot, signIn, until, world } from '../lib/browser.mjs';
import { administrator } from '../lib/api.mjs';

describe('licences', () => {
  let browser, api, organization, about;
  const cameras = {};
  before(async () => {
    browser = await launch();
    api = await administrator();
    organization = await api.post('/api/v1/organizations', { name: 'Licensed', licensing: 'required' });
    about = `?organization=${organization.id}`;
    for (const name of ['Gate', 'Hall']) {
      cameras[name] = await api.camera(name, about);
      await api.patch(`/api/v1/cameras/${cameras[name].id}${about}`, { recording: true });
    }
  });
  after(async () => {
    await api.remove(`/api/v1/organizations/${organization.id}?grace_days=0&confirm=Licensed`);
    await browser?.close();
  });

  const card = (page, text) => page.getByRole('main').getByRole('listitem').filter({ hasText: text });
  const work = async (page) => {
    await page.getByLabel('Organization that you work in').selectOption('Licensed');
    await page.getByText('What it records is not shown to you.').waitFor();
  };
  const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

  async function issue(page) {
    await page.getByText(/^There are no licences\./).waitFor();
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Issue licences' }).click();
    const form = page.getByRole('form', { name: 'Issue licences' });
    await form.getByLabel('Name').fill('Standard');
    await form.getByLabel('How many').fill('2');
    await form.getByLabel(/^Valid until/).fill(day(-1));
    await form.getByLabel('sub stream').check();
    await form.getByRole('button', { name: 'Issue' }).press('Enter');
    // What the server refuses is said where it was typed.
    const end = form.getByLabel(/^Valid until/);
    await until('the end is refused', async () => (await end.getAttribute('aria-invalid')) === 'true');
    await assertShown(page, 'licences-issue');
    await end.fill(day(100));
    await form.getByRole('button', { name: 'Issue' }).press('Enter');
    await form.waitFor({ state: 'detached' });
    await page.getByText('0 of 2 licences').waitFor();
  }

  const camera = async (page, name) => {
    await page.goto(`${world.url}/#/cameras/${cameras[name].id}`);
    const licence = page.getByRole('region', { name: 'Licence' });
    await licence.waitFor();
    return licence;
  };

  test('are issued, assigned, moved, suspended, renewed and taken away', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/licences');
    await work(page);
    await issue(page);
    await card(page, 'No camera has it.').first().getByRole('button', { name: 'Assign' }).click();
    const assign = page.getByRole('form', { name: 'Assign Standard' });
    await assign.getByLabel('Camera without a licence').selectOption('Gate');
    await assertAccessible(page);
    await assign.getByRole('button', { name: 'Assign' }).click();
    await card(page, 'Camera Gate').getByText('active', { exact: true }).waitFor();
    await card(page, 'Camera Gate').getByText(/^(99|100) days left: valid until /).waitFor();
    await page.getByText('1 of 2 licences').waitFor();
    await shoot(page, 'licences');

    const hall = await camera(page, 'Hall');
    await hall.getByText('The camera is not recorded: it has no licence.').waitFor();
    await assertShown(page, 'camera-unlicensed');
    await page.getByRole('link', { name: 'Licences', exact: true }).press('Enter');
    await card(page, 'Camera Gate').getByRole('button', { name: 'Transfer' }).click();
    const move = page.getByRole('form', { name: 'Move Standard to another camera' });
    await move.getByRole('button', { name: 'Move' }).click();
    await move.getByText('Choose a camera.').waitFor();
    await move.getByLabel('Camera without a licence').selectOption('Hall');
    await move.getByRole('button', { name: 'Move' }).click();
    await card(page, 'Camera Hall').getByRole('button', { name: 'Suspend' }).click();
    const question = page.getByRole('alertdialog');
    await question.getByText(/Its camera is recorded no more until it is resumed/).waitFor();
    await question.getByRole('button', { name: 'Suspend it' }).click();
    await card(page, 'Camera Hall').getByText('suspended', { exact: true }).waitFor();
    await (await camera(page, 'Hall')).getByText('its licence does not permit it now').waitFor();

    // The licence of one camera is assigned from the camera's page as well.
    const gate = await camera(page, 'Gate');
    await gate.getByRole('button', { name: 'Assign a licence' }).click();
    await gate.getByRole('button', { name: 'Assign', exact: true }).click();
    await gate.getByText(/days left: valid until/).waitFor();
    await gate.getByRole('link', { name: 'All licences' }).click();

    await card(page, 'Camera Hall').getByRole('button', { name: 'Resume' }).click();
    await card(page, 'Camera Hall').getByRole('button', { name: 'Renew' }).click();
    const renew = page.getByRole('form', { name: 'Renew Standard' });
    await renew.getByLabel(/^Valid until/).fill(day(-1));
    await renew.getByRole('button', { name: 'Renew' }).click();
    const end = renew.getByLabel(/^Valid until/);
    await until('an end that has passed is refused', async () => (await end.getAttribute('aria-invalid')) === 'true');
    await end.fill(day(400));
    await assertAccessible(page);
    await renew.getByRole('button', { name: 'Renew' }).click();
    await card(page, 'Camera Hall').getByText(/^(399|400) days left/).waitFor();
    await card(page, 'Camera Hall').getByRole('button', { name: 'Edit' }).click();
    const change = page.getByRole('form', { name: 'Change Standard' });
    await change.getByLabel('Name').fill('Large');
    await change.getByLabel('Days that footage is kept').fill('90');
    await change.getByRole('button', { name: 'Save' }).click();
    await card(page, 'Large').getByText(/kept 90 days/).waitFor();
    await card(page, 'Large').getByRole('button', { name: 'Take away' }).click();
    await question.getByText(/Its footage stays\./).waitFor();
    await assertAccessible(page);
    await question.getByRole('button', { name: 'Take it away' }).click();
    await card(page, 'Large').getByText('No camera has it.').waitFor();
    await page.getByLabel('Which licences').selectOption('Without a camera');
    await card(page, 'Camera Gate').waitFor({ state: 'detached' });
    // The browser itself reports what was refused.
    assert.deepEqual(faults.filter((fault) => !/(400|422) .*\/api\/v1\/licences/.test(fault)), []);
    await close();
  });

  test('fit a phone', async () => {
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/licences');
    await work(page);
    await card(page, 'Large').waitFor();
    await assertShown(page, 'licences-phone');
    await page.getByRole('button', { name: 'Issue licences' }).press('Enter');
    await assertShown(page, 'licences-issue-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
