#!/usr/bin/env python3
"""Holds the server's answers against its OpenAPI document with schemathesis.

Starts a nats-server and a control plane of its own on a temporary folder, seeds what valid ids need,
and fails on any answer that the document does not tell of, on any 5xx other than a documented 503,
and when fewer requests were made than asked for.

    contract.py --control-plane FILE --nats-server FILE --schemathesis FILE --database sqlite|postgres
"""

import argparse
import glob
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

# One unprivileged user for a PostgreSQL that refuses to run as root.
NOBODY = 65534
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    ]
)
# These end the very session or key that a run is signed in with: each phase below asks them with users whom
# nobody else is signed in as.
ENDS_THE_RUN = r"^/api/v1/(session|me/(password|sessions|totp)|me/sessions/|users/[^/]+/sessions)"
# The public half of a key that nobody has.
NODE_KEY = "UC74KVFSIRSEVQPDO3ZYQW5WAEEQDBCDUF3GQ6KNWO2JVR3XMHKABWWX"
PASSWORD = "a long enough password"


def fail(text):
    sys.exit(f"error: {text}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes:
    """What this run started, stopped in the opposite order."""

    def __init__(self):
        self.running = []

    def start(self, command, log, **options):
        with open(log, "wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, **options)
        self.running.append(process)
        return process

    def stop(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGINT)
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def postgres_programs():
    found = shutil.which("initdb")
    programs = [os.path.dirname(found)] if found else sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        fail("PostgreSQL's server is missing: apt-get install postgresql")
    return programs[-1]


def postgres(processes, folder):
    programs = postgres_programs()
    data = folder / "postgres"
    data.mkdir()
    options = {}
    if os.geteuid() == 0:
        os.chmod(folder, 0o711)
        os.chown(data, NOBODY, NOBODY)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    subprocess.run(
        [f"{programs}/initdb", f"--pgdata={data}/data", "--username=cloudcam", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=data,
        **options,
    )
    port = free_port()
    processes.start(
        [f"{programs}/postgres", "-D", f"{data}/data", "-p", str(port), "-k", str(data), "-c", "listen_addresses=127.0.0.1"],
        folder / "postgres.log",
        cwd=data,
        **options,
    )
    return f"postgres://cloudcam@127.0.0.1:{port}/postgres"


class Client:
    def __init__(self, base):
        self.base = base
        self.token = None

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"{self.base}{path}", method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        while True:
            try:
                with urllib.request.urlopen(request, data) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                # Generated requests have used up what one address may try.
                if error.code != 429:
                    raise
                time.sleep(int(error.headers["Retry-After"]))


def wait_ready(client, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            fail(f"the control plane ended:\n{log.read_text()[-2000:]}")
        try:
            client.call("GET", "/readyz")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    fail(f"the control plane does not get ready:\n{log.read_text()[-2000:]}")


def seed(client):
    """Makes one of each thing, so that lists are not empty and links lead somewhere; their ids by the part of
    the path that they follow."""
    year_ms = 365 * 24 * 3600 * 1000
    now = int(time.time() * 1000)
    group = client.call("POST", "/api/v1/groups", {"name": "Entrances"})
    camera = client.call(
        "POST", "/api/v1/cameras", {"name": "Door", "url": "rtsp://user:secret@192.0.2.7/stream1", "group": group["id"]}
    )
    plan = {"features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080, "max_bitrate_bps": 4_000_000}
    licences = client.call(
        "POST", "/api/v1/licences", {"name": "Standard", "plan": plan, "valid_from": now, "valid_to": now + year_ms, "count": 3}
    )
    of_camera = f"/api/v1/cameras/{camera['id']}"
    job = client.call(
        "POST",
        f"{of_camera}/recording-jobs",
        {"name": "Nights", "schedule": {"kind": "weekly", "windows": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}},
    )
    client.call("POST", "/api/v1/organizations", {"name": "Another"})
    token = client.call("POST", "/api/v1/enrolment-tokens", {"name": "Gate"})
    joined = client.call(
        "POST", "/api/v1/enrol", {"token": token["token"], "public_key": NODE_KEY, "name": "gate", "version": "0"}
    )
    client.call("POST", "/api/v1/enrolment-tokens", {"name": "Yard"})
    override = client.call("POST", f"{of_camera}/overrides", {"kind": "pause", "reason": "painters"})
    past = {"from": now - 7_200_000, "to": now - 5_400_000, "reason": "asked for"}
    client.call("POST", f"{of_camera}/erasures", past)
    me = client.call("GET", "/api/v1/me")
    return {
        "cameras": camera["id"],
        "groups": group["id"],
        "licences": licences["items"][0]["id"],
        "recording-jobs": job["id"],
        "overrides": override["id"],
        "nodes": joined["node"],
        "organizations": me["organization"],
        "recordings": str(uuid.uuid4()),
    }


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def footage(ids, start, url):
    """Puts a session of recording and an object of it into the index, as no recorder runs."""

    def quoted(value):
        if not isinstance(value, bytes):
            return str(value) if isinstance(value, int) else f"'{value}'"
        return f"x'{value.hex()}'" if url.startswith("sqlite:") else f"'\\x{value.hex()}'"

    def row(table, values):
        names = ", ".join(values)
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join(map(quoted, values.values()))});"

    camera, organization, node = (uuid.UUID(ids[noun]).bytes for noun in ("cameras", "organizations", "nodes"))
    # wire::segment: a format, then offset, length, start (both counted from the end before, zig-zag), duration.
    segments = b"\x01" + varint(800 << 1) + varint(100_000) + varint(start << 1) + varint(6_000)
    common = {"organization": organization, "camera": camera, "stream": 0, "node": node, "epoch": 1}
    recording = common | {
        "id": uuid.UUID(ids["recordings"]).bytes, "window_start": start, "started": start, "ended": start + 6_000,
        "window_end": start + 6_000, "end_reason": 0, "bytes": 100_800, "frames": 90, "gaps": 0, "gap_ms": 0, "attempts": 1,
        "alerted": "0", "detail": "", "updated": start, "revision": 1,
    }
    tracks = '[{"kind":"video","codec":"avc1.64001f","width":1280,"height":720,"fps":15.0}]'
    thing = common | {
        "id": uuid.uuid4().bytes, "start_ms": start, "end_ms": start + 6_000, "bytes": 100_800, "sha256": bytes(32),
        "init_length": 800, "init_digest": "0" * 32, "tracks": tracks, "segments": segments, "state": 1, "indexed": start,
    }
    statements = row("recording", recording) + row("object", thing)
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:"), timeout=30) as database:
            database.executescript(statements)
        database.close()
    else:
        subprocess.run([shutil.which("psql") or f"{postgres_programs()}/psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statements, url], check=True)


def person(client, login, role):
    """Invites somebody, who accepts; the id."""
    invited = client.call("POST", "/api/v1/users", {"login": login, "name": "Somebody", "role": role})
    token = invited["invitation"]["link"].rsplit("/", 1)[-1]
    client.call("POST", "/api/v1/invitations/accept", {"token": token, "password": PASSWORD})
    return invited["user"]["id"]


def sign_in(client, login):
    return client.call("POST", "/api/v1/session", {"login": login, "password": PASSWORD})["access_token"]


def callers(client, ids):
    """Who asks, each with a token and a share of the time; those who may do most come last."""
    watcher = person(client, "watcher@example.org", "org_user")
    permissions = ["view_live", "view_footage", "export", "manage"]
    grants = {"items": [{"camera": ids["cameras"], "permissions": permissions}]}
    client.call("PUT", f"/api/v1/users/{watcher}/grants", grants)
    person(client, "chief@example.org", "org_admin")
    scopes = ["cameras:view_live", "cameras:view_footage", "cameras:manage", "nodes:read"]
    key = client.call("POST", "/api/v1/service-keys", {"name": "Gate", "scopes": scopes})
    ids |= {"users": watcher, "service-keys": key["key"]["id"]}
    return [
        ("organization's user", sign_in(client, "watcher@example.org"), 0.12),
        ("service key", key["secret"], 0.12),
        ("organization's admin", sign_in(client, "chief@example.org"), 0.24),
        ("super admin", client.token, 0.32),
    ]


def leavers(client):
    """Who asks for what ends sessions, each with a token of its own, which paths, and a share of the time."""
    for number, (path, role) in enumerate(
        [
            (r"^/api/v1/session", "org_user"),
            (r"^/api/v1/me/(password|totp)", "org_user"),
            (r"^/api/v1/me/sessions", "org_user"),
            (r"^/api/v1/users/[^/]+/sessions", "org_admin"),
        ]
    ):
        login = f"throw-away-{number}@example.org"
        person(client, login, role)
        yield path, sign_in(client, login), 0.05


def requests_made(log):
    with open(log, encoding="utf-8", errors="replace") as lines:
        return sum('"message":"request"' in line for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--control-plane", required=True, type=pathlib.Path)
    parser.add_argument("--nats-server", required=True)
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgres"], required=True)
    parser.add_argument("--at-least", type=int, default=2000, help="requests that make a run count (default 2000)")
    parser.add_argument("--seconds", type=int, default=150, help="time for generated requests (default 150)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="cloudcam-contract-"))
    processes = Processes()
    try:
        code = run(arguments, folder, processes)
    finally:
        processes.stop()
    if code == 0:
        shutil.rmtree(folder)
    else:
        print(f"logs and report stay in {folder}", file=sys.stderr)
    sys.exit(code)


def known(arguments, folder, client, ids, start):
    """What generated requests do not find; 0 when every answer was as the document says."""
    seed_file = folder / "seed.json"
    seeded = {"token": client.token, "ids": ids, "footage": start, "ends_the_run": ENDS_THE_RUN}
    seed_file.write_text(json.dumps(seeded))
    python = pathlib.Path(arguments.schemathesis).with_name("python")
    script = pathlib.Path(__file__).with_name("known.py")
    return subprocess.run([python, script, client.base, seed_file], cwd=folder).returncode


def generate(arguments, folder, base, token, seconds, paths):
    """Generated requests with one token; 0 when every answer was as the document says."""
    config = pathlib.Path(__file__).with_name("schemathesis.toml")
    return subprocess.run(
        [
            arguments.schemathesis, "--config-file", str(config), "run", f"{base}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {token}",
            "--checks", CHECKS,
            *paths,
            "--max-time", str(seconds), "--max-examples", "40",
            "--seed", str(arguments.seed), "--no-shrink", "--continue-on-failure", "--warnings", "off",
            "--report", "ndjson", "--report-dir", str(folder / "report"),
        ],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
    ).returncode


def run(arguments, folder, processes):
    nats_port, http_port = free_port(), free_port()
    url = postgres(processes, folder) if arguments.database == "postgres" else f"sqlite:{folder}/data/control-plane.sqlite"
    config = folder / "control.toml"
    config.write_text(
        f'data_dir = "{folder}/data"\n'
        f'[http]\nbind = "127.0.0.1:{http_port}"\nrequests_per_s = 1000000\n'
        f'[bus]\nurl = "nats://127.0.0.1:{nats_port}"\n'
        f'[database]\nurl = "{url}"\n'
    )
    install = [arguments.control_plane, "init", "--config", str(config)]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    nats_config = [
        arguments.control_plane, "nats-config", "--config", str(config), "--out", str(folder / "nats.conf"),
        "--store-dir", str(folder / "nats"), "--port", str(nats_port),
    ]
    subprocess.run(nats_config, check=True, stdout=subprocess.DEVNULL)
    processes.start([arguments.nats_server, "-c", str(folder / "nats.conf")], folder / "nats.log")
    time.sleep(2 if arguments.database == "postgres" else 0)
    log = folder / "control-plane.log"
    server = processes.start([arguments.control_plane, "--log", "json", "serve", "--config", config], log)
    client = Client(f"http://127.0.0.1:{http_port}")
    wait_ready(client, server, log)
    password = (folder / "data/admin-password").read_text().strip()
    client.token = client.call("POST", "/api/v1/session", {"login": "admin", "password": password})["access_token"]
    ids, start = seed(client), int(time.time() * 1000) - 3_600_000
    footage(ids, start, url)
    everybody = callers(client, ids)
    print(f"\n--- {arguments.database}: what is known to be there", flush=True)
    code = known(arguments, folder, client, ids, start)
    for caller, token, share in everybody:
        print(f"\n--- {arguments.database}: {caller}", flush=True)
        paths = ["--exclude-path-regex", ENDS_THE_RUN]
        code |= generate(arguments, folder, client.base, token, round(arguments.seconds * share), paths)
    for path, token, share in leavers(client):
        print(f"\n--- {arguments.database}: whoever may be signed out, {path}", flush=True)
        paths = ["--include-path-regex", path]
        code |= generate(arguments, folder, client.base, token, round(arguments.seconds * share), paths)
    made = requests_made(log)
    print(f"{arguments.database}: {made} requests")
    if server.poll() is not None:
        print(f"error: the control plane ended:\n{log.read_text()[-2000:]}", file=sys.stderr)
        return 1
    # Whoever signed the run out would have made the rest of it worthless.
    client.call("GET", "/api/v1/me")
    if "panicked" in log.read_text(errors="replace"):
        print("error: something panicked, see the log", file=sys.stderr)
        return 1
    if made < arguments.at_least:
        print(f"error: {made} requests are fewer than {arguments.at_least}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    main()
