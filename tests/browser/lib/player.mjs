// The player's page as a person uses it.

import assert from 'node:assert/strict';

import { until } from './browser.mjs';

const slider = (page) => page.getByRole('slider', { name: 'Time' });

/** Time of the picture shown, as the timeline tells it. */
export async function shownTime(page) {
  return Number(await slider(page).getAttribute('aria-valuenow'));
}

/** Chooses the day of an instant in the calendar. */
export async function openDay(page, at) {
  const date = await page.evaluate((at) => {
    const day = new Date(at);
    const two = (number) => String(number).padStart(2, '0');
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  }, at);
  const day = page.getByRole('button', { name: new RegExp(`^${date}: .* of footage`) });
  await day.click();
  await until('the day is chosen', async () => (await day.getAttribute('aria-pressed')) === 'true');
  return day;
}

/** Clicks into the timeline of the day, then into that of the hour, where a pixel is a few seconds. */
export async function seek(page, at) {
  const narrow = page.getByRole('button', { name: 'Show one hour' });
  const wide = page.getByRole('button', { name: 'Show 24 hours' });
  if (await wide.isVisible()) await wide.click();
  await clickTime(page, at);
  await until('a picture of about that time', async () => Math.abs((await shownTime(page)) - at) < 600_000);
  await narrow.click();
  await until('the hour is shown', async () => (await range(page)).width_ms <= 3_600_000);
  // The hour may have been turned over in between.
  await until('the hour of that time is shown', async () => {
    const { start, end } = await range(page);
    if (at >= start && at < end) return true;
    const before = await shownTime(page);
    await slider(page).press(at < start ? 'Shift+ArrowLeft' : 'Shift+ArrowRight');
    await until('the picture moves', async () => (await shownTime(page)) !== before);
    return { start, end, shown: await shownTime(page) };
  });
  await clickTime(page, at);
}

async function range(page) {
  const start = Number(await slider(page).getAttribute('aria-valuemin'));
  const end = Number(await slider(page).getAttribute('aria-valuemax'));
  return { start, end, width_ms: end - start };
}

async function clickTime(page, at) {
  const { start, end } = await range(page);
  assert.ok(at >= start && at < end, `${new Date(at).toISOString()} is not on the timeline`);
  const { width } = await slider(page).boundingBox();
  await slider(page).click({ position: { x: ((at - start) / (end - start)) * width, y: 10 } });
}

/** The media element moves on by more than 0.3 s a second over three seconds. */
export async function assertPlays(page) {
  const current = () => page.locator('video').evaluate((video) => video.currentTime);
  await until('the picture moves', async () => {
    const before = await current();
    await page.waitForTimeout(3000);
    const moved = (await current()) - before;
    return moved > 0.9 && moved < 30 ? true : moved;
  });
}

/** The picture has light and detail: the mean and the variance of its luminance. */
export async function assertPicture(page) {
  const { mean, variance } = await page.locator('video').evaluate((video) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [160, 90];
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(0, 0, 160, 90);
    const light = [];
    for (let i = 0; i < data.length; i += 4) light.push(0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2]);
    const mean = light.reduce((sum, value) => sum + value, 0) / light.length;
    const variance = light.reduce((sum, value) => sum + (value - mean) ** 2, 0) / light.length;
    return { mean, variance };
  });
  assert.ok(mean > 10 && variance > 50, `the picture is blank: mean ${mean}, variance ${variance}`);
}
