// Organizations: who runs the platform makes, limits, suspends, deletes and restores them, and works in one.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, signIn, until } from '../lib/browser.mjs';
import { administrator } from '../lib/api.mjs';
import { accept, enter } from '../lib/people.mjs';

describe('organizations', () => {
  let browser, api;
  before(async () => {
    browser = await launch();
    api = await administrator();
  });
  after(async () => {
    for (const { id, name } of (await api.get('/api/v1/organizations?q=Harbour')).items) {
      await api.remove(`/api/v1/organizations/${id}?grace_days=0&confirm=${encodeURIComponent(name)}`);
    }
    await browser?.close();
  });

  const card = (page, name) => page.getByRole('main').getByRole('listitem')
    .filter({ has: page.getByText(name, { exact: true }) });
  const here = (page) => page.getByLabel('Organization that you work in')
    .evaluate((select) => select.selectedOptions[0].text);

  test('are made, limited, worked in, suspended, deleted and restored', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/organizations');
    await page.getByRole('button', { name: 'Add an organization' }).click();
    const form = page.getByRole('form', { name: 'Add an organization' });
    await form.getByLabel('Name').fill('Harbour');
    await form.getByLabel(/^Most cameras/).fill('1');
    await form.getByLabel(/^Most GB/).fill('2.5');
    await form.getByLabel('To be recorded, its cameras').selectOption('need no licences');
    await assertAccessible(page);
    await form.getByRole('button', { name: 'Add' }).press('Enter');
    const harbour = card(page, 'Harbour');
    await harbour.getByText('0 of 1', { exact: true }).waitFor();
    await harbour.getByText('0 kB of 2.5 GB').waitFor();
    await harbour.getByRole('meter', { name: 'Cameras: 0 % of the quota' }).waitFor();
    await assertShown(page, 'organizations');

    // The switch stays through reloads, and every page is about the organization.
    await harbour.getByRole('button', { name: 'Work in it' }).press('Enter');
    await page.getByText('You work in Harbour.').waitFor();
    assert.equal(await here(page), 'Harbour');
    await page.getByRole('link', { name: 'Cameras', exact: true }).click();
    await page.getByText(/^There are no cameras yet\./).waitFor();
    await api.camera('Quay', `?organization=${(await api.get('/api/v1/organizations?q=Harbour')).items[0].id}`);
    await page.reload();
    await card(page, 'Quay').waitFor();
    assert.equal(await here(page), 'Harbour');
    // Who runs the platform does not watch what others record.
    assert.equal(await page.getByRole('link', { name: 'Watch' }).count(), 0);
    await assertShown(page, 'organization-elsewhere');
    await page.getByRole('button', { name: 'Add a camera' }).press('Enter');
    await page.getByLabel('Name', { exact: true }).fill('One too many');
    await page.getByLabel('RTSP address').fill('rtsp://192.0.2.9/too-many');
    await page.getByRole('button', { name: 'Add and record' }).click();
    await page.getByText(/^The organization has 1 cameras and may have no more/).waitFor();
    await page.getByRole('button', { name: /^Back to / }).click();
    await card(page, 'Quay').waitFor({ state: 'detached' });

    await page.getByRole('link', { name: 'Organizations' }).click();
    await harbour.getByRole('button', { name: 'Edit' }).click();
    const change = page.getByRole('form', { name: 'Change Harbour' });
    await change.getByLabel('Name').fill('Harbour East');
    await change.getByLabel(/^Most cameras/).fill('');
    await change.getByRole('button', { name: 'Save' }).click();
    const east = card(page, 'Harbour East');
    await east.getByText('1', { exact: true }).waitFor();
    await east.getByRole('button', { name: 'Suspend' }).click();
    const question = page.getByRole('alertdialog', { name: 'Suspend an organization' });
    await assertAccessible(page);
    await question.getByRole('button', { name: 'Suspend it' }).click();
    await east.getByText('suspended', { exact: true }).waitFor();
    await east.getByRole('button', { name: 'Resume' }).click();
    await east.getByText('active', { exact: true }).waitFor();
    await east.getByRole('button', { name: 'Delete' }).click();
    const erase = page.getByRole('form', { name: 'Delete Harbour East?' });
    await erase.getByLabel('Days of grace').fill('7');
    const name = erase.getByLabel('Type the exact name of the organization');
    await name.fill('Harbour');
    await erase.getByRole('button', { name: 'Delete the organization' }).click();
    await until('another name is refused', async () => (await name.getAttribute('aria-invalid')) === 'true');
    await assertShown(page, 'organization-delete');
    await name.fill('Harbour East');
    await name.press('Enter');
    await east.getByText('being deleted', { exact: true }).waitFor();
    await east.getByText(/^Everything of it is erased \d{4}-\d\d-\d\d /).waitFor();
    await east.getByRole('button', { name: 'Restore' }).click();
    await east.getByText('active', { exact: true }).waitFor();
    await page.getByLabel('Search organizations').fill('nowhere');
    await page.getByLabel('Search organizations').press('Enter');
    await page.getByText('There are no such organizations.').waitFor();
    assert.deepEqual(faults.filter((fault) => !/(400|409|422) .*\/api\/v1\/(cameras|organizations)/.test(fault)), []);
    await close();
  });

  test('are renamed by their administrators, who see no other', async () => {
    const made = await api.post('/api/v1/organizations', { name: 'Harbour West', quotas: { users: 5 } });
    const about = `?organization=${made.id}`;
    const { invitation } = await api.post(`/api/v1/users${about}`, { login: 'west@example.com', role: 'org_admin' });
    const { page, faults, close } = await open(browser);
    await accept(page, invitation.link);
    await enter(page, 'west@example.com');
    await page.getByRole('banner').getByText('Harbour West').waitFor();
    await page.getByRole('link', { name: 'Organization' }).click();
    await card(page, 'Harbour West').getByText('1 of 5').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Add an organization' }).count(), 0);
    assert.deepEqual(await page.getByRole('main').getByRole('button').allInnerTexts(), ['Rename']);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name').fill('Harbour of the West');
    await page.getByRole('button', { name: 'Save' }).click();
    await card(page, 'Harbour of the West').waitFor();
    await assertAccessible(page);
    assert.deepEqual(faults, []);
    await close();
  });

  test('fit a phone', async () => {
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/organizations');
    await card(page, 'Harbour East').getByRole('button', { name: 'Work in it' }).click();
    await page.getByText('You work in Harbour East.').waitFor();
    await card(page, 'Harbour East').getByRole('button', { name: 'Delete' }).click();
    await assertShown(page, 'organizations-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
