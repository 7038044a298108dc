// The API browser: its own assets, under the same policy.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { launch, open, shoot, until, world } from '../lib/browser.mjs';

describe('the API browser', () => {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser?.close());

  test('lists every operation and opens one, with nothing from elsewhere', async () => {
    const { page, faults, close } = await open(browser);
    const strange = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(world.url) && !request.url().startsWith('data:')) strange.push(request.url());
    });
    const answer = await page.goto(`${world.url}/api/docs/`);
    assert.match(answer.headers()['content-security-policy'], /default-src 'none'/);
    const { paths } = await (await fetch(`${world.url}/api/v1/openapi.json`)).json();
    const methods = ['get', 'put', 'post', 'patch', 'delete'];
    const operations = Object.values(paths).flatMap((path) => Object.keys(path).filter((key) => methods.includes(key)));
    await until('every operation is listed', async () => {
      const shown = await page.locator('.opblock').count();
      return shown === operations.length || { shown, operations: operations.length };
    });
    await page.getByRole('button', { name: /\/api\/v1\/groups\b/ }).first().click();
    await page.getByText('A page of groups.').waitFor();
    await shoot(page, 'api-docs');
    assert.deepEqual(faults, []);
    assert.deepEqual(strange, []);
    await close();
  });
});
