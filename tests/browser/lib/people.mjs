// People who are invited: they choose a password, sign in, and have authenticators.

import { createHmac } from 'node:crypto';

import { world } from './browser.mjs';

export const PASSWORD = 'a password of the browser tests';

/** Where a one-time link leads in the installation that is tested, whatever it calls itself. */
const here = (link) => world.url + link.slice(link.indexOf('/#/'));

/** Uses a link on its page: chooses a password, and goes on to sign in. */
export async function accept(page, link, password = PASSWORD) {
  await page.goto(here(link));
  await page.getByLabel('New password, 10 characters or more').fill(password);
  await page.getByLabel('The same again').fill(password);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByRole('link', { name: 'Sign in' }).click();
}

/** Signs in on the page that asks for it. */
export async function enter(page, login, password = PASSWORD) {
  await page.getByLabel('Name').fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The code that an authenticator with this secret shows at an instant (RFC 6238). */
export function code(secret, at = Date.now()) {
  const bits = [...secret.replace(/[= ]/g, '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac('sha1', key).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
