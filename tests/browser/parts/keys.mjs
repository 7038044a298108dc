// Service keys: made with some rights, shown once, used, revoked.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, signIn, until, world } from '../lib/browser.mjs';

describe('service keys', () => {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser?.close());

  const card = (page, name) => page.getByRole('main').getByRole('listitem')
    .filter({ has: page.getByText(name, { exact: true }) });
  const asks = async (secret, path) => (await fetch(world.url + path, { headers: { authorization: `Bearer ${secret}` } })).status;

  test('are made, shown once, used, changed and revoked', async () => {
    const { page, faults, close } = await open(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
    await signIn(page, '/#/keys');
    await page.getByText('There are no service keys.').waitFor();
    await page.getByRole('button', { name: 'Make a key' }).click();
    const form = page.getByRole('form', { name: 'Make a service key' });
    await form.getByLabel('What it is for').fill('Reader of the log');
    await form.getByRole('button', { name: 'Make the key' }).press('Enter');
    // A key without a right is refused beside the rights.
    await form.getByRole('group', { name: 'What it may do' }).getByRole('alert').waitFor();
    await form.getByLabel('Read the audit log').check();
    await form.getByLabel('Ends').fill('2020-01-01');
    await form.getByRole('button', { name: 'Make the key' }).press('Enter');
    await until('an end that has passed is refused', async () => (
      (await form.getByLabel('Ends').getAttribute('aria-invalid')) === 'true'));
    await assertShown(page, 'keys-make');
    await form.getByLabel('Ends').fill('2099-01-01');
    await form.getByRole('button', { name: 'Make the key' }).press('Enter');
    const shown = page.getByLabel('Secret of “Reader of the log”');
    const secret = await shown.inputValue();
    assert.match(secret, /^cck_/);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('It is copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    await assertShown(page, 'keys');
    await page.getByRole('button', { name: 'I have it' }).press('Enter');
    await shown.waitFor({ state: 'detached' });
    const key = card(page, 'Reader of the log');
    await key.getByText('works until 2099-01-01').waitFor();
    await key.getByText(`Its secret ends in ${secret.slice(-4)}.`).waitFor();
    await key.getByText(/never used\.$/).waitFor();

    assert.equal(await asks(secret, '/api/v1/audit'), 200);
    assert.equal(await asks(secret, '/api/v1/users'), 403);
    await until('its last use is told', async () => {
      await page.reload();
      await key.waitFor();
      return (await key.getByText(/, last used \d{4}-/).count()) === 1;
    });
    await key.getByRole('button', { name: 'Edit' }).click();
    const change = page.getByRole('form', { name: 'Change Reader of the log' });
    await change.getByLabel('What it is for').fill('Reader');
    await change.getByLabel('Ends').fill('');
    await change.getByRole('button', { name: 'Save' }).click();
    await card(page, 'Reader').getByText('works', { exact: true }).waitFor();
    await card(page, 'Reader').getByRole('button', { name: 'Revoke' }).click();
    const question = page.getByRole('alertdialog', { name: 'Revoke a service key' });
    await assertAccessible(page);
    await question.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByText('There are no service keys.').waitFor();
    assert.equal(await asks(secret, '/api/v1/audit'), 401);
    assert.deepEqual(faults.filter((fault) => !/(400|422) .*\/api\/v1\/service-keys/.test(fault)), []);
    await close();
  });

  test('fit a phone', async () => {
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/keys');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await assertShown(page, 'keys-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
