// What the server says there is to play, asked without a browser.

import { turn, world } from './browser.mjs';

/** A client of the API that is signed in. */
export async function client() {
  await turn();
  const session = await json(fetch(`${world.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: world.login, password: world.password }),
  }));
  const headers = { authorization: `Bearer ${session.access_token}` };
  return (path) => json(fetch(world.url + path, { headers }));
}

async function json(answer) {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The camera that the tests watch. */
export async function watched(get) {
  const { items } = await get('/api/v1/cameras');
  const camera = world.camera ? items.find(({ name }) => name === world.camera) : items[0];
  if (!camera) throw new Error('the installation has no camera to watch');
  return camera;
}

/** Footage and gaps of the last day. */
export async function stretches(get, camera) {
  const now = Date.now();
  const path = `/player-api/cameras/${camera.id}/coverage?from=${now - 86_400_000}&to=${now}`;
  return (await get(path)).stretches;
}

/** The last gap of a second or more with at least ten seconds of footage before and after it. */
export function lastGap(list) {
  const long = ({ kind, start, end }) => kind === 'footage' && end - start > 10_000;
  const found = list.filter((stretch, index) => stretch.kind === 'gap' && stretch.end - stretch.start > 1000
    && index > 0 && long(list[index - 1]) && index + 1 < list.length && long(list[index + 1]));
  if (found.length === 0) throw new Error(`no gap between footage: ${JSON.stringify(list)}`);
  return found.at(-1);
}

/** An instant where one object ends and the next goes on without a gap. */
export async function objectBorder(get, camera) {
  const now = Date.now();
  const path = `/player-api/cameras/${camera.id}/playback?from=${now - 86_400_000}&to=${now}`;
  const { url } = await get(path);
  const master = new URL(url, world.url);
  const variant = (await text(master)).split('\n').find((line) => line && !line.startsWith('#'));
  const pieces = segments(await text(new URL(variant, master)));
  const borders = pieces.filter((piece, index) => index > 0 && !piece.gap && !pieces[index - 1].gap
    && piece.object !== pieces[index - 1].object
    && Math.abs(pieces[index - 1].start + pieces[index - 1].duration - piece.start) < 500
    && now - piece.start > 8000);
  if (borders.length === 0) throw new Error('the footage has no border between two objects');
  return borders[0].start;
}

async function text(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

function segments(playlist) {
  const pieces = [];
  let piece = { gap: false };
  for (const line of playlist.split('\n')) {
    if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) piece.start = Date.parse(line.slice(25));
    else if (line.startsWith('#EXT-X-GAP')) piece.gap = true;
    else if (line.startsWith('#EXTINF:')) piece.duration = parseFloat(line.slice(8)) * 1000;
    else if (line && !line.startsWith('#')) {
      pieces.push({ ...piece, object: line.split('?')[0] });
      piece = { gap: false };
    }
  }
  return pieces;
}
