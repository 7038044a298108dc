// Users and one's own account: invited, limited, helped, erased; password, second factor, sign-ins.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, shoot, signIn, until, world } from '../lib/browser.mjs';
import { administrator, client, session } from '../lib/api.mjs';
import { PASSWORD, accept, code, enter } from '../lib/people.mjs';

describe('people', () => {
  let browser, api;
  before(async () => {
    browser = await launch();
    api = await administrator();
  });
  after(async () => {
    for (const { id, login } of (await api.get('/api/v1/users')).items) {
      if (login !== world.login) await api.remove(`/api/v1/users/${id}`);
    }
    await browser?.close();
  });

  const invite = (login, role = 'org_user') => api.post('/api/v1/users', { login, role });
  /** A person who has chosen a password, on a page of their own. */
  async function person(login, options) {
    const { user, invitation } = await invite(login);
    const opened = await open(browser, options);
    await accept(opened.page, invitation.link);
    await enter(opened.page, login);
    await opened.page.getByRole('button', { name: 'Sign out' }).waitFor();
    return { ...opened, user };
  }
  const works = async (login, password = PASSWORD, second = undefined) => session(login, password, second).then(() => true, () => false);

  test('are invited, given another role, disabled, and erased after their name was typed', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/users');
    await page.getByRole('button', { name: 'Invite a user' }).click();
    const form = page.getByRole('form', { name: 'Invite a user' });
    await form.getByLabel(/^E-mail/).fill(world.login);
    await form.getByRole('button', { name: 'Invite' }).click();
    await form.getByText(/^Somebody signs in with this login already/).waitFor();
    await form.getByLabel(/^E-mail/).fill('ada@example.com');
    await form.getByLabel('Role').selectOption('Administrator of the organization');
    await form.getByRole('button', { name: 'Invite' }).click();
    const link = await page.getByLabel(/^Link for ada@example\.com/).inputValue();
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByLabel('Search users').fill('ADA@');
    await page.getByLabel('Search users').press('Enter');
    await page.getByRole('link', { name: 'ada@example.com' }).waitFor();
    await page.getByRole('link', { name: world.login, exact: true }).waitFor({ state: 'detached' });
    await shoot(page, 'users');
    await page.getByRole('link', { name: 'ada@example.com' }).press('Enter');

    const user = page.getByRole('region', { name: 'User', exact: true });
    await user.getByText('invited', { exact: true }).waitFor();
    await page.getByText(/^An administrator may do everything/).waitFor();
    const ada = await open(browser);
    await accept(ada.page, link);
    await enter(ada.page, 'ada@example.com');
    await ada.page.getByRole('link', { name: 'Audit log' }).waitFor();
    // A link works once.
    await ada.page.goto(`about:blank`);
    await ada.page.goto(world.url + link.slice(link.indexOf('/#/')));
    await ada.page.getByText('This link does not work').waitFor();
    await ada.close();

    await page.reload();
    await user.getByLabel('Role').selectOption('User: sees what is granted');
    await page.getByText('Nothing is granted: this user sees no camera.').waitFor();
    const signIns = page.getByRole('region', { name: 'Sign-ins' });
    await signIns.getByRole('listitem').first().waitFor();
    await assertShown(page, 'user');
    await signIns.getByRole('button', { name: 'Sign out everywhere' }).press('Enter');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await signIns.getByText('Nowhere.').waitFor();
    await user.getByRole('button', { name: 'Disable' }).click();
    await assertAccessible(page);
    await page.getByRole('alertdialog').getByRole('button', { name: 'Disable' }).click();
    await user.getByText('disabled', { exact: true }).waitFor();
    assert.equal(await works('ada@example.com'), false);
    await user.getByRole('button', { name: 'Enable' }).click();
    await user.getByText('active', { exact: true }).waitFor();
    await user.getByRole('button', { name: 'New password' }).click();
    assert.match(await page.getByLabel(/^Link for ada@example\.com/).inputValue(), /#\/reset\//);
    await user.getByRole('button', { name: 'Erase' }).click();
    const erase = page.getByRole('form', { name: 'Erase ada@example.com?' });
    await erase.getByLabel('Type the name to sign in with').fill('ada');
    await erase.getByRole('button', { name: 'Erase' }).click();
    await erase.getByText('That is not the name to sign in with.').waitFor();
    await assertAccessible(page);
    await erase.getByLabel('Type the name to sign in with').fill('ada@example.com');
    await erase.getByRole('button', { name: 'Erase' }).click();
    await page.getByRole('heading', { name: 'Users' }).waitFor();
    await page.getByRole('link', { name: world.login, exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'ada@example.com' }).count(), 0);
    // Nobody takes the platform from its last owner, and nobody is offered to.
    await page.getByRole('link', { name: world.login, exact: true }).click();
    await page.getByText(/^This is you: /).waitFor();
    assert.equal(await user.getByRole('button').count(), 0);
    assert.deepEqual(faults.filter((fault) => !/409 .*\/api\/v1\/users/.test(fault)), []);
    assert.deepEqual(ada.faults.filter((fault) => !/\/api\/v1\/invitations\/look/.test(fault)), []);
    await close();
  });

  test('set a second factor up, sign in with it, and end other sign-ins', async () => {
    const { page, faults, close } = await person('grace@example.com');
    await page.getByRole('link', { name: 'Account' }).click();
    const factor = page.getByRole('region', { name: 'Second factor' });
    await factor.getByLabel('Password').fill(PASSWORD);
    await factor.getByRole('button', { name: 'Set up' }).click();
    const secret = await factor.locator('code').innerText();
    await assertShown(page, 'account-factor');
    const now = Date.now();
    await factor.getByLabel('Code that the app shows').fill(code(secret, now));
    await factor.getByRole('button', { name: 'Confirm' }).click();
    const codes = (await factor.getByLabel(/^Recovery codes/).inputValue()).split('\n');
    assert.ok(codes.length >= 8);
    await assertAccessible(page);
    await factor.getByRole('button', { name: 'I have it' }).click();

    // The next code is taken already, as clocks differ; the one that was used is not.
    const elsewhere = await open(browser);
    await elsewhere.page.goto(world.url);
    await enter(elsewhere.page, 'grace@example.com');
    const asked = elsewhere.page.getByLabel(/^Code of your authenticator app/);
    await asked.waitFor();
    await assertAccessible(elsewhere.page);
    await asked.fill(code(secret, now));
    await elsewhere.page.getByRole('button', { name: 'Sign in' }).click();
    await elsewhere.page.getByRole('alert').waitFor();
    await asked.fill(code(secret, now + 30_000));
    await elsewhere.page.getByRole('button', { name: 'Sign in' }).click();
    await elsewhere.page.getByRole('button', { name: 'Sign out' }).waitFor();
    assert.equal(await works('grace@example.com'), false, 'the password alone does not do');

    await page.reload();
    const signIns = page.getByRole('region', { name: 'Sign-ins' });
    await until('both sign-ins are listed', async () => (await signIns.getByRole('listitem').count()) === 2);
    await signIns.getByText('This one').waitFor();
    await signIns.getByRole('button', { name: 'End' }).click();
    await until('one is left', async () => (await signIns.getByRole('listitem').count()) === 1);
    await elsewhere.page.reload();
    await elsewhere.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await elsewhere.close();

    await factor.getByLabel('Password').fill(PASSWORD);
    await factor.getByLabel('Code, to switch it off').fill(codes[0]);
    await factor.getByRole('button', { name: 'Switch off' }).click();
    await factor.getByText('The second factor is off.').waitFor();
    assert.equal(await works('grace@example.com'), true);
    assert.deepEqual(faults, []);
    await close();
  });

  test('change their password, which ends every other sign-in', async () => {
    const { page, faults, close } = await person('joan@example.com');
    const other = client(await session('joan@example.com', PASSWORD));
    await other.get('/api/v1/me');
    await page.getByRole('link', { name: 'Account' }).click();
    const password = page.getByRole('region', { name: 'Password' });
    await password.getByLabel('Present password').fill('not that one');
    await password.getByLabel(/^New password/).fill('another password of the tests');
    await password.getByRole('button', { name: 'Change the password' }).click();
    await password.getByRole('alert').waitFor();
    await password.getByLabel('Present password').fill(PASSWORD);
    await password.getByRole('button', { name: 'Change the password' }).click();
    await password.getByText(/^The password is changed\./).waitFor();
    await assert.rejects(other.get('/api/v1/me'), /401/);
    assert.equal(await works('joan@example.com'), false);
    assert.equal(await works('joan@example.com', 'another password of the tests'), true);
    assert.deepEqual(faults.filter((fault) => !/\/api\/v1\/me\/password/.test(fault)), []);
    await close();
  });

  test('lose a second factor that an administrator takes away', async () => {
    const { user, page: own, close: leave } = await person('mary@example.com');
    await own.getByRole('link', { name: 'Account' }).click();
    const factor = own.getByRole('region', { name: 'Second factor' });
    await factor.getByLabel('Password').fill(PASSWORD);
    await factor.getByRole('button', { name: 'Set up' }).click();
    await factor.getByLabel('Code that the app shows').fill(code(await factor.locator('code').innerText()));
    await factor.getByRole('button', { name: 'Confirm' }).click();
    await factor.getByLabel(/^Recovery codes/).waitFor();
    await leave();
    const { page, faults, close } = await open(browser);
    await signIn(page, `/#/users/${user.id}`);
    await page.getByRole('button', { name: 'Remove second factor' }).click();
    const question = page.getByRole('alertdialog', { name: 'Remove a second factor' });
    await assertAccessible(page);
    await question.getByRole('button', { name: 'Remove the second factor' }).click();
    await page.getByRole('button', { name: 'Remove second factor' }).waitFor({ state: 'detached' });
    assert.equal(await works('mary@example.com'), true);
    assert.deepEqual(faults, []);
    await close();
  });

  test('fit a phone', async () => {
    const { page, faults, close } = await person('phone-of-ada@example.com', { viewport: { width: 360, height: 740 } });
    await page.goto(`${world.url}/#/account`);
    await page.getByRole('region', { name: 'Sign-ins' }).getByRole('listitem').first().waitFor();
    await assertShown(page, 'account-phone');
    assert.deepEqual(faults, []);
    await close();
  });
});
