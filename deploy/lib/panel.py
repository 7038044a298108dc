#!/usr/bin/env python3
"""What quickstart.sh asks of the network: ports, readiness, and cameras over the API.

Standard library only. The administrator's password is read from its file, so that it stands on no
command line. Every failure is one sentence on stderr and exit code 1.
"""

import argparse
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

# How long a failed camera is waited for before it is called unreachable.
FIRST_ATTEMPTS_S = 10
DEMO_NAMES = ["Demo camera 1", "Demo camera 2"]


class Refused(Exception):
    """One sentence for the person at the terminal."""


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred):
    """The port named in the file `preferred` when it is free, otherwise any; remembered there."""
    try:
        port = int(open(preferred).read())
        if 1024 <= port <= 65535 and port_is_free(port):
            return port
    except (OSError, ValueError):
        pass
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(preferred, "w") as file:
        file.write(f"{port}\n")
    return port


def bus_answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as bus:
            return bus.recv(5) == b"INFO "
    except OSError:
        return False


def check_camera(url):
    """A camera's address as given on the command line, or a sentence."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises on a port that is no number
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
        shown = url if parts is None or parts.password is None else "the address given"
        raise Refused(f"--camera wants rtsp://host/path or rtsps://host/path, and {shown!r} is neither")


class Api:
    def __init__(self, base):
        self.base = base
        self.token = None

    def call(self, method, path, body=None, timeout=15):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            try:
                detail = json.loads(error.read())["title"]
            except (ValueError, KeyError, TypeError):
                detail = f"HTTP {error.code}"
            raise Refused(f"{method} {path}: {detail}") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise Refused(f"{method} {path}: {reason}") from None
        return json.loads(text) if text else None

    def sign_in(self, password_file):
        try:
            password = open(password_file).read().strip()
        except OSError as error:
            raise Refused(f"the administrator's password cannot be read: {error}") from None
        body = {"login": "admin", "password": password}
        try:
            self.token = self.call("POST", "/api/v1/session", body)["access_token"]
        except Refused as refused:
            raise Refused(
                f"cannot sign in as admin with the password in {password_file} ({refused}); "
                "if it was changed in the panel, write the new one into that file"
            ) from None

    def cameras(self):
        return self.call("GET", "/api/v1/cameras")["items"]


def plain(url):
    """An address without credentials, to compare with what the API shows."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port and parts.port != 554 else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{port}{parts.path or '/'}{query}"


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {error}; remove it to start over") from None


def save(path, state):
    with open(path + ".new", "w") as file:
        json.dump(state, file)
    os.replace(path + ".new", path)


def ensure_cameras(api, state_file, wanted, demo_urls):
    """Creates what is not there yet, moves demo cameras to the simulator's port, keeps the rest."""
    state = load(state_file)
    there = api.cameras()
    by_id = {camera["id"]: camera for camera in there}
    if demo_urls and "demo" not in state:
        state["demo"] = []
        for name, url in zip(DEMO_NAMES, demo_urls):
            made = [camera for camera in there if camera["name"] == name]
            camera = made[0] if made else api.call("POST", "/api/v1/cameras", {"name": name, "url": url})
            by_id[camera["id"]] = camera
            state["demo"].append(camera["id"])
    for camera_id, url in zip(state.get("demo", []), demo_urls):
        if camera_id in by_id and plain(by_id[camera_id]["url"]) != plain(url):
            api.call("PATCH", f"/api/v1/cameras/{camera_id}", {"url": url})
    known = {plain(camera["url"]) for camera in there}
    for url in wanted:
        if plain(url) in known:
            continue
        known.add(plain(url))
        parts = urlsplit(url)
        name = f"{parts.hostname}{parts.path.rstrip('/')}"[:100]
        api.call("POST", "/api/v1/cameras", {"name": name, "url": url})
    state["cameras"] = True
    save(state_file, state)


def verdict(camera):
    """(settled, sentence) of a camera that is to be recorded."""
    state = camera.get("state") or {"state": "waiting"}
    name = state["state"]
    if name == "recording":
        return True, "recording"
    if name == "degraded":
        return True, f"recording, but {state['detail']}"
    if name == "failed":
        return True, f"not recorded: {state['detail']} (tried again without end)"
    return False, "not recorded yet: still connecting" if name == "connecting" else "not recorded yet: waiting for its node"


def has_footage(api, camera, since_ms):
    path = f"/player-api/cameras/{camera['id']}/coverage?from={since_ms}&to={int(time.time() * 1000) + 60_000}"
    return any(stretch["kind"] == "footage" for stretch in api.call("GET", path)["stretches"])


def alive(pids):
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return True


def wait_for(fact, deadline, pids):
    """Polls until `fact` or the deadline; a dead component ends the wait at once."""
    while True:
        try:
            if fact():
                return True
        except Refused:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            return False
        if not alive(pids):
            sys.exit(3)
        time.sleep(0.25)


def is_settled(camera, failures_count):
    settled, sentence = verdict(camera)
    return settled and (failures_count or sentence.startswith("recording"))


def run_cameras(options):
    api = Api(options.base)
    api.sign_in(options.password_file)
    demo_urls = [f"rtsp://127.0.0.1:{options.demo_port}/{path}" for path in options.demo_path]
    started_ms = int(time.time() * 1000)

    def online():
        return any(node["online"] for node in api.call("GET", "/api/v1/nodes")["items"])

    def planned():
        return [camera for camera in api.cameras() if camera["recording"]]

    if not wait_for(online, time.monotonic() + 30, options.pids):
        raise Refused("the recorder node did not report to the control plane within 30 s")
    ensure_cameras(api, options.state, options.camera, demo_urls)

    # A first attempt may fail only because node or camera had just been started: give it a second one.
    patient_until = time.monotonic() + FIRST_ATTEMPTS_S

    def settled():
        late = time.monotonic() > patient_until
        return all(is_settled(camera, late) for camera in planned())

    wait_for(settled, time.monotonic() + options.patience, options.pids)
    recorded = [camera for camera in planned() if is_settled(camera, False)]

    def playable():
        return any(has_footage(api, camera, started_ms) for camera in recorded)

    if recorded and not wait_for(playable, time.monotonic() + options.patience, options.pids):
        print("    no footage can be played yet although a camera is being recorded")
    for camera in api.cameras():
        sentence = verdict(camera)[1] if camera["recording"] else "recording is switched off"
        print(f"    {camera['name']:<24} {camera['url']:<44} {sentence}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    free = commands.add_parser("free-port", help="print a free loopback port, remembered in FILE")
    free.add_argument("file")
    for name in ("port-is-free", "bus-answers"):
        commands.add_parser(name).add_argument("port", type=int)
    commands.add_parser("is-ready", help="whether /readyz answers 200").add_argument("base")
    commands.add_parser("check-camera").add_argument("url")
    cameras = commands.add_parser("cameras", help="create the cameras and wait until each is settled")
    cameras.add_argument("--base", required=True)
    cameras.add_argument("--password-file", required=True)
    cameras.add_argument("--state", required=True)
    cameras.add_argument("--camera", action="append", default=[])
    cameras.add_argument("--demo-port", type=int)
    cameras.add_argument("--demo-path", action="append", default=[])
    cameras.add_argument("--patience", type=float, default=30.0, help="seconds")
    cameras.add_argument("--pids", type=lambda text: [int(pid) for pid in text.split(",")], default=[])
    return parser.parse_args()


def run(options):
    if options.command == "free-port":
        print(free_port(options.file))
    elif options.command == "port-is-free":
        return port_is_free(options.port)
    elif options.command == "bus-answers":
        return bus_answers(options.port)
    elif options.command == "is-ready":
        try:
            Api(options.base).call("GET", "/readyz", timeout=2)
        except (Refused, ValueError):
            return False
    elif options.command == "check-camera":
        check_camera(options.url)
    else:
        run_cameras(options)
    return True


def main():
    try:
        sys.exit(0 if run(arguments()) else 1)
    except Refused as refused:
        print(f"error: {refused}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
