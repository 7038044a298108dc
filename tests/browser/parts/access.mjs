// Groups of cameras, users, and what users are granted: a person sees exactly that.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertShown, launch, open, shoot, signIn, until, world } from '../lib/browser.mjs';
import { administrator } from '../lib/api.mjs';
import { accept, enter } from '../lib/people.mjs';

describe('access', () => {
  let browser, api;
  const cameras = {};
  before(async () => {
    browser = await launch();
    api = await administrator();
    for (const name of ['Lobby', 'Vault', 'Ramp']) cameras[name] = await api.camera(name);
  });
  after(async () => {
    for (const { id } of Object.values(cameras)) await api.remove(`/api/v1/cameras/${id}`);
    await browser?.close();
  });

  const card = (page, name) => page.getByRole('main').getByRole('listitem')
    .filter({ has: page.getByText(name, { exact: true }) });
  const shown = async (page) => (await page.locator('li[data-camera] strong').allInnerTexts()).sort().join();

  async function makeGroup(page) {
    await page.getByRole('link', { name: 'Groups' }).click();
    await page.getByText(/^There are no groups yet\./).waitFor();
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Add a group' }).click();
    const form = page.getByRole('form', { name: 'Add a group' });
    await form.getByLabel('Name of the group').fill('Entrances');
    await form.getByLabel('Name of the group').press('Enter');
    await card(page, 'Entrances').getByText('no cameras').waitFor();
    // A name that is taken is refused beside its field, and the cursor is there.
    await page.getByRole('button', { name: 'Add a group' }).click();
    await form.getByLabel('Name of the group').fill('Entrances');
    await form.getByRole('button', { name: 'Add the group' }).click();
    await form.getByText('Another group of the organization has this name.').waitFor();
    await until('the cursor is there', () => form.getByLabel('Name of the group')
      .evaluate((field) => field === document.activeElement && field.ariaInvalid === 'true'));
    await assertAccessible(page);
    await form.getByRole('button', { name: 'Cancel' }).click();
    await card(page, 'Entrances').getByRole('button', { name: 'Choose cameras' }).click();
    const choice = page.getByRole('form', { name: 'Cameras in Entrances' });
    await choice.getByLabel('Lobby').check();
    await choice.getByLabel('Ramp').check();
    await assertShown(page, 'groups-choose');
    await choice.getByRole('button', { name: 'Save' }).press('Enter');
    await card(page, 'Entrances').getByText('2 cameras').waitFor();
    await card(page, 'Entrances').getByText('Lobby, Ramp').waitFor();
    await shoot(page, 'groups');
  }

  async function invite(page, login) {
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByRole('button', { name: 'Invite a user' }).click();
    const form = page.getByRole('form', { name: 'Invite a user' });
    await form.getByLabel(/^E-mail address/).fill(login);
    await form.getByLabel('Name of the person').fill('A guest');
    await assertAccessible(page);
    // Whoever chooses no role gets the least.
    assert.equal(await form.getByLabel('Role').inputValue(), 'org_user');
    await form.getByRole('button', { name: 'Invite' }).click();
    const link = await page.getByLabel(`Link for ${login}, who chooses a password with it`).inputValue();
    await assertShown(page, 'users-invited');
    await page.getByRole('link', { name: `Grant ${login} cameras` }).press('Enter');
    await page.getByText('Nothing is granted: this user sees no camera.').waitFor();
    return link;
  }

  test('is what was granted, on a camera and on a group', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await makeGroup(page);
    const link = await invite(page, 'guest@example.com');
    const grants = page.getByRole('region', { name: 'Grants' });
    const choose = grants.getByLabel('Grant a camera or a group');
    await choose.selectOption('Lobby');
    const lobby = grants.getByRole('group', { name: 'Lobby' });
    assert.ok(await lobby.getByLabel('View live').isChecked());
    await lobby.getByLabel('Export').check();
    await assertShown(page, 'user-grants');
    await grants.getByRole('button', { name: 'Save the grants' }).press('Enter');
    await grants.getByRole('button', { name: 'Save the grants' }).waitFor({ state: 'detached' });

    const guest = await open(browser);
    await accept(guest.page, link);
    await enter(guest.page, 'guest@example.com');
    await until('the guest sees the one camera', async () => (await shown(guest.page)) === 'Lobby');
    // Only what the guest may do is offered.
    assert.deepEqual(await guest.page.getByRole('navigation').getByRole('link').allInnerTexts(),
      ['Cameras', 'Completeness', 'Account', 'Player', 'API']);
    assert.equal(await guest.page.getByRole('button', { name: 'Add a camera' }).count(), 0);
    assert.equal(await guest.page.getByRole('button', { name: 'Edit' }).count(), 0);
    await guest.page.goto(`${world.url}/#/users`);
    await guest.page.getByText(/^You may not see this page\./).waitFor();
    await assertAccessible(guest.page);
    await guest.page.goto(`${world.url}/#/cameras/${cameras.Vault.id}`);
    await guest.page.getByRole('alert').waitFor();
    await guest.page.getByRole('link', { name: 'All cameras' }).click();

    // Accepting the invitation changed the user: what was seen before is not saved over that.
    await page.reload();
    await lobby.getByRole('button', { name: 'Take Lobby away' }).click();
    await choose.selectOption('Group Entrances');
    await grants.getByRole('group', { name: 'Group Entrances' }).getByLabel('Manage').check();
    await grants.getByRole('button', { name: 'Save the grants' }).press('Enter');
    await grants.getByRole('button', { name: 'Save the grants' }).waitFor({ state: 'detached' });
    await guest.page.reload();
    await until('the guest sees the group', async () => (await shown(guest.page)) === 'Lobby,Ramp');
    await guest.page.getByRole('button', { name: 'Edit' }).first().waitFor();

    await page.getByRole('link', { name: 'Groups' }).click();
    await card(page, 'Entrances').getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name of the group').fill('Doors');
    await page.getByRole('button', { name: 'Save' }).click();
    await card(page, 'Doors').getByRole('button', { name: 'Delete' }).click();
    const question = page.getByRole('alertdialog', { name: 'Delete a group' });
    await question.getByText(/What users were granted on it goes with it/).waitFor();
    await assertAccessible(page);
    await question.getByRole('button', { name: 'Keep it' }).click();
    await card(page, 'Doors').getByRole('button', { name: 'Delete' }).click();
    await question.getByRole('button', { name: 'Delete the group' }).click();
    await page.getByText(/^There are no groups yet\./).waitFor();
    await guest.page.reload();
    await guest.page.getByText(/^You see no cameras: /).waitFor();
    assert.deepEqual(guest.faults.filter((fault) => !/404 .*\/api\/v1\/cameras\//.test(fault)), []);
    await guest.close();
    // The browser itself reports the name that was refused.
    assert.deepEqual(faults.filter((fault) => !/409 .*\/api\/v1\/groups/.test(fault)), []);
    await close();
    const [user] = (await api.get('/api/v1/users?q=guest%40')).items;
    await api.remove(`/api/v1/users/${user.id}`);
  });

  test('fits a phone, with the pages behind a button', async () => {
    const group = await api.post('/api/v1/groups', { name: 'Gates' });
    const { user } = await api.post('/api/v1/users', { login: 'phone@example.com', role: 'org_user' });
    await api.put(`/api/v1/users/${user.id}/grants`, {
      items: [{ group: group.id, permissions: ['view_live'] }, { camera: cameras.Vault.id, permissions: ['manage'] }],
    });
    const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 } });
    await signIn(page, '/#/groups');
    await card(page, group.name).getByRole('button', { name: 'Choose cameras' }).click();
    await assertShown(page, 'groups-phone');
    // The keyboard opens the pages; they close when one is chosen.
    const menu = page.getByRole('button', { name: 'Menu' });
    assert.ok(!await page.getByRole('link', { name: 'Users' }).isVisible());
    await menu.press('Enter');
    assert.equal(await menu.getAttribute('aria-expanded'), 'true');
    await assertShown(page, 'menu-phone');
    await page.getByRole('link', { name: 'Users' }).press('Enter');
    await page.getByRole('heading', { name: 'Users' }).waitFor();
    assert.equal(await menu.getAttribute('aria-expanded'), 'false');
    await page.getByRole('link', { name: user.login }).click();
    await page.getByRole('group', { name: group.name }).waitFor();
    await assertShown(page, 'user-phone');
    assert.deepEqual(faults, []);
    await close();
    await api.remove(`/api/v1/users/${user.id}`);
    await api.remove(`/api/v1/groups/${group.id}`);
  });
});
