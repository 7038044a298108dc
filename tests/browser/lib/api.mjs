// A client of the API that may change things: what a test needs and does not itself look at.

import { turn, world } from './browser.mjs';

/** A client that is signed in as the administrator. */
export async function administrator() {
  await turn();
  return client(await session(world.login, world.password));
}

/** Signs in. */
export async function session(login, password, code) {
  const answer = await fetch(`${world.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password, code }),
  });
  if (!answer.ok) throw new Error(`${login} cannot sign in: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A client with a token. */
export function client({ access_token: token }) {
  const ask = async (method, path, body) => {
    const answer = await fetch(world.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    patch: (path, body) => ask('PATCH', path, body),
    remove: (path) => ask('DELETE', path),
    /** A camera that is never recorded. */
    camera: (name, about = '') => ask('POST', `/api/v1/cameras${about}`, {
      name, url: `rtsp://192.0.2.9/${encodeURIComponent(name)}`, recording: false,
    }),
  };
}
