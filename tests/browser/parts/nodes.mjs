// The page of the recorder nodes: how they are, and how one joins.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertFits, launch, open, shoot, signIn, world } from '../lib/browser.mjs';
import { client, watched } from '../lib/footage.mjs';

describe('the nodes', () => {
  let browser, get, node, camera;
  before(async () => {
    browser = await launch();
    get = await client();
    [node] = (await get('/api/v1/nodes')).items;
    camera = await watched(get);
  });
  after(() => browser?.close());

  const card = (page) => page.getByRole('listitem').filter({ has: page.getByText(node.name, { exact: true }) });
  const waiting = async () => (await get('/api/v1/enrolment-tokens')).items.filter(({ used }) => !used);

  test('show how they are', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/');
    await page.getByRole('link', { name: 'Nodes' }).click();
    await card(page).getByText('Connected', { exact: true }).waitFor();
    await card(page).getByText(/^Version \d/).waitFor();
    await card(page).getByText('CPU', { exact: true }).waitFor();
    await card(page).getByRole('meter', { name: /^Disk: \d+ % used$/ }).waitFor();
    await card(page).locator('summary').click();
    await card(page).getByText(/recording · [\d.]+ frames\/s · \d+ kbit\/s/).first().waitFor();
    await assertAccessible(page);
    await shoot(page, 'nodes');
    assert.deepEqual(faults, []);
    await close();
  });

  test('are changed, cordoned and drained, and removed only after a question', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/nodes');
    await card(page).getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('form', { name: `Change ${node.name}` });
    await form.getByLabel(/^Labels/).fill('outdoor, GPU');
    await form.getByLabel(/^Networks/).fill('nowhere');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByRole('alert').waitFor();
    await form.getByLabel(/^Networks/).fill('127.0.0.0/8');
    await form.getByLabel(/^Most cameras/).fill('16');
    await assertAccessible(page);
    await shoot(page, 'nodes-edit');
    // By keyboard: right after a picture of a page that is longer than its window, a click misses.
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    await card(page).getByText('Labels: outdoor, gpu').waitFor();
    await card(page).getByText('Networks: 127.0.0.0/8').waitFor();
    await card(page).getByText('1 of 16 cameras').waitFor();

    await card(page).getByRole('button', { name: 'Cordon' }).click();
    await card(page).getByText('It keeps its cameras and gets no new ones.').waitFor();
    await card(page).getByRole('button', { name: 'Drain' }).click();
    // There is no other node to take its camera.
    await card(page).getByText(/: 1 left\. Those that no other node may take stay\./).waitFor();
    await assertAccessible(page);
    await shoot(page, 'nodes-draining');
    await page.goto(`${world.url}/#/cameras/${camera.id}`);
    await page.getByRole('button', { name: 'Why is this camera here?' }).click();
    const placement = page.getByRole('region', { name: 'Placement' });
    await placement.getByText('Draining', { exact: true }).waitFor();
    await placement.getByText(/^It should not stay here: it is draining/).waitFor();
    await page.getByRole('link', { name: 'Nodes' }).click();
    await card(page).getByRole('button', { name: 'Remove' }).click();
    const question = page.getByRole('alertdialog', { name: 'Remove a node' });
    await question.getByText(/Drain it first to lose nothing\./).waitFor();
    await question.getByRole('button', { name: 'Keep it' }).click();
    await card(page).getByRole('button', { name: 'Stop draining' }).click();
    await card(page).getByText('Connected', { exact: true }).waitFor();

    await card(page).getByRole('button', { name: 'Edit' }).click();
    for (const label of [/^Labels/, /^Networks/, /^Most cameras/]) await form.getByLabel(label).fill('');
    await form.getByRole('button', { name: 'Save' }).click();
    await card(page).getByText('1 camera', { exact: true }).waitFor();
    // The browser itself reports the network that was refused.
    assert.deepEqual(faults.filter((fault) => !/(400|422) .*\/api\/v1\/nodes\//.test(fault)), []);
    await close();
  });

  test('join by a command that is shown once', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, '/#/nodes');
    await page.getByRole('button', { name: 'Add a node' }).click();
    const form = page.getByRole('form', { name: 'Add a node' });
    await form.getByLabel(/^Name of the node/).fill('North gate');
    await form.getByLabel('The command works for').selectOption('a day');
    await assertAccessible(page);
    await form.getByRole('button', { name: 'Make the command' }).click();
    const shown = page.getByLabel(/^Run this on the machine of “North gate”/);
    assert.match(await shown.inputValue(), /^recorder-node enrol .*--server \S+ --token cce_\S+$/);
    const [token] = await waiting();
    assert.equal(token.name, 'North gate');
    assert.equal(Math.round((token.expires - token.created) / 3_600_000), 24);
    const awaited = page.getByRole('region', { name: 'Nodes that are awaited' });
    await awaited.getByText('North gate').waitFor();
    await assertAccessible(page);
    await shoot(page, 'nodes-add');
    await page.getByRole('button', { name: 'I have it' }).click();
    await shown.waitFor({ state: 'detached' });
    await page.reload();
    await awaited.getByRole('button', { name: 'Revoke' }).click();
    await awaited.waitFor({ state: 'detached' });
    assert.deepEqual(await waiting(), []);
    assert.deepEqual(faults, []);
    await close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`fit a phone, ${colorScheme}`, async () => {
      const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme });
      await signIn(page, '/#/nodes');
      await card(page).getByText('CPU', { exact: true }).waitFor();
      await card(page).locator('summary').click();
      await assertFits(page);
      await assertAccessible(page);
      await shoot(page, `nodes-phone-${colorScheme}`);
      await page.getByRole('button', { name: 'Add a node' }).click();
      await assertFits(page);
      await assertAccessible(page);
      assert.deepEqual(faults, []);
      await close();
    });
  }
});
