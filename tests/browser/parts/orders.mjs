// The page of a camera: what it does and why; record now, stop, pause, resume.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, assertFits, launch, open, shoot, signIn, until } from '../lib/browser.mjs';
import { client, watched } from '../lib/footage.mjs';

describe('the page of a camera', () => {
  let browser, get, camera;
  before(async () => {
    browser = await launch();
    get = await client();
    camera = await watched(get);
  });
  after(() => browser?.close());

  const path = () => `/#/cameras/${camera.id}`;
  const planned = async () => (await get(`/api/v1/cameras/${camera.id}`)).planned;
  const now = (page) => page.getByRole('region', { name: 'Now' });
  const order = (page, text) => page.getByRole('list', { name: 'Orders in force' })
    .getByRole('listitem').filter({ hasText: text });

  test('says why it is recorded, and by whom', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, path());
    await now(page).getByText('It is recorded around the clock, by its switch.').waitFor();
    await now(page).getByText('Recording', { exact: true }).waitFor();
    const recordings = page.getByRole('region', { name: 'Recordings' });
    await recordings.getByText('Recording', { exact: true }).first().waitFor();
    const gaps = page.getByRole('region', { name: 'Gaps' });
    await gaps.getByText(/ of footage\. .* missing/).waitFor();
    await gaps.getByText(/^(Camera|Network): .+\.$/).first().waitFor();
    await page.getByRole('button', { name: 'Why is this camera here?' }).click();
    const [node] = (await get('/api/v1/nodes')).items;
    const placement = page.getByRole('region', { name: 'Placement' });
    await placement.getByText(node.name, { exact: true }).waitFor();
    await placement.getByText(/^Has it since .*\. Of the nodes that could take it, this one had the fewest cameras \(\d+\)\.$/).waitFor();
    await assertAccessible(page);
    await shoot(page, 'camera');
    assert.deepEqual(faults, []);
    await close();
  });

  test('pauses and resumes, stops and records again, after a question', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, path());
    await page.getByRole('button', { name: 'Pause until…' }).click();
    const form = page.getByRole('form', { name: 'Pause recording' });
    await form.getByText(/there is no footage of that time/).waitFor();
    await form.getByLabel('Why').fill('The gardener is here');
    await assertAccessible(page);
    await shoot(page, 'camera-pause');
    await form.getByRole('button', { name: 'Go on' }).click();
    assert.equal((await planned()).recording, true);

    await page.getByRole('button', { name: 'Pause until…' }).click();
    await form.getByLabel('Why').fill('The gardener is here');
    await form.getByRole('button', { name: 'Pause', exact: true }).click();
    await order(page, 'Paused').getByText('The gardener is here').waitFor();
    await now(page).getByText(/^A person paused it until /).waitFor();
    await now(page).getByText(/^Paused until /).waitFor();
    assert.equal((await planned()).reason, 'paused');
    await assertAccessible(page);
    await shoot(page, 'camera-paused');
    await order(page, 'Paused').getByRole('button', { name: 'Resume' }).click();
    await order(page, 'Paused').waitFor({ state: 'detached' });
    await now(page).getByText('Recording', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    const question = page.getByRole('alertdialog', { name: 'Stop recording' });
    await question.getByText(/there is no footage of that time/).waitFor();
    await shoot(page, 'camera-stop');
    await question.getByRole('button', { name: 'Go on' }).click();
    assert.equal((await planned()).recording, true);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await question.getByRole('button', { name: 'Stop recording' }).click();
    await now(page).getByText('A person paused it, until somebody resumes it.').waitFor();
    await order(page, 'Paused').waitFor();

    await page.getByLabel('For how long to record now').selectOption('5 min');
    await page.getByRole('button', { name: 'Record now' }).click();
    await now(page).getByText(/^Somebody asked for its recording, until /).waitFor();
    await order(page, 'Recorded on request').waitFor();
    await now(page).getByText('Recording', { exact: true }).waitFor();
    await shoot(page, 'camera-record-now');
    await order(page, 'Recorded on request').getByRole('button', { name: 'End it' }).click();
    await order(page, 'Recorded on request').waitFor({ state: 'detached' });
    await order(page, 'Paused').getByRole('button', { name: 'Resume' }).click();
    await until('it is recorded by its switch again', async () => (await planned()).reason === 'switch');
    await now(page).getByText('Recording', { exact: true }).waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test('is told of what others do without being asked', async () => {
    const { page, faults, close } = await open(browser);
    await signIn(page, path());
    await now(page).getByText('Recording', { exact: true }).waitFor();
    const other = await open(browser);
    await signIn(other.page, path());
    await other.page.getByRole('button', { name: 'Pause until…' }).click();
    await other.page.getByRole('button', { name: 'Pause', exact: true }).click();
    await now(page).getByText(/^A person paused it until /).waitFor();
    await order(page, 'Paused').getByRole('button', { name: 'Resume' }).click();
    await order(other.page, 'Paused').waitFor({ state: 'detached' });
    await now(page).getByText('Recording', { exact: true }).waitFor();
    assert.deepEqual([...faults, ...other.faults], []);
    await other.close();
    await close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`fits a phone, ${colorScheme}`, async () => {
      const { page, faults, close } = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme });
      await signIn(page, path());
      await page.getByRole('region', { name: 'Recordings' }).getByRole('listitem').first().waitFor();
      await page.getByRole('button', { name: 'Why is this camera here?' }).click();
      await page.getByRole('region', { name: 'Placement' }).getByRole('listitem').first().waitFor();
      await assertFits(page);
      await assertAccessible(page);
      await shoot(page, `camera-now-phone-${colorScheme}`);
      await page.getByRole('button', { name: 'Pause until…' }).click();
      await assertFits(page);
      await assertAccessible(page);
      assert.deepEqual(faults, []);
      await close();
    });
  }
});
