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
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

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
# These end the very session or key that the run is signed in with.
ENDS_THE_RUN = r"^/api/v1/(session|me/(password|sessions|totp)|me/sessions/|users/[^/]+/sessions)"


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


def postgres(processes, folder):
    found = shutil.which("initdb")
    programs = [os.path.dirname(found)] if found else sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        fail("PostgreSQL's server is missing: apt-get install postgresql")
    data = folder / "postgres"
    data.mkdir()
    options = {}
    if os.geteuid() == 0:
        os.chmod(folder, 0o711)
        os.chown(data, NOBODY, NOBODY)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    subprocess.run(
        [f"{programs[-1]}/initdb", f"--pgdata={data}/data", "--username=cloudcam", "--auth=trust", "--encoding=UTF8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=data,
        **options,
    )
    port = free_port()
    processes.start(
        [f"{programs[-1]}/postgres", "-D", f"{data}/data", "-p", str(port), "-k", str(data), "-c", "listen_addresses=127.0.0.1"],
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
        with urllib.request.urlopen(request, data) as answer:
            text = answer.read()
            return json.loads(text) if text else None


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
    """Makes one of each thing, so that lists are not empty and links lead somewhere."""
    year_ms = 365 * 24 * 3600 * 1000
    now = int(time.time() * 1000)
    group = client.call("POST", "/api/v1/groups", {"name": "Entrances"})
    camera = client.call(
        "POST", "/api/v1/cameras", {"name": "Door", "url": "rtsp://user:secret@192.0.2.7/stream1", "group": group["id"]}
    )
    plan = {"features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080, "max_bitrate_bps": 4_000_000}
    client.call(
        "POST", "/api/v1/licences", {"name": "Standard", "plan": plan, "valid_from": now, "valid_to": now + year_ms, "count": 3}
    )
    client.call(
        "POST",
        f"/api/v1/cameras/{camera['id']}/recording-jobs",
        {"name": "Nights", "schedule": {"kind": "weekly", "windows": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}},
    )
    client.call("POST", "/api/v1/organizations", {"name": "Another"})
    return camera


def callers(client, camera):
    """Who asks, each with a token and a share of the time; those who may do most come last."""
    secret = "a long enough password"

    def person(login, role):
        invited = client.call("POST", "/api/v1/users", {"login": login, "name": "Somebody", "role": role})
        token = invited["invitation"]["link"].rsplit("/", 1)[-1]
        client.call("POST", "/api/v1/invitations/accept", {"token": token, "password": secret})
        return invited["user"]["id"]

    def sign_in(login):
        return client.call("POST", "/api/v1/session", {"login": login, "password": secret})["access_token"]

    watcher = person("watcher@example.org", "org_user")
    permissions = ["view_live", "view_footage", "export", "manage"]
    client.call("PUT", f"/api/v1/users/{watcher}/grants", {"items": [{"camera": camera["id"], "permissions": permissions}]})
    person("chief@example.org", "org_admin")
    scopes = ["cameras:view_live", "cameras:view_footage", "cameras:manage", "nodes:read"]
    key = client.call("POST", "/api/v1/service-keys", {"name": "Gate", "scopes": scopes})
    return [
        ("organization's user", sign_in("watcher@example.org"), 0.15),
        ("service key", key["secret"], 0.15),
        ("organization's admin", sign_in("chief@example.org"), 0.3),
        ("super admin", client.token, 0.4),
    ]


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


def generate(arguments, folder, base, token, seconds):
    """Generated requests with one token; 0 when every answer was as the document says."""
    config = pathlib.Path(__file__).with_name("schemathesis.toml")
    return subprocess.run(
        [
            arguments.schemathesis, "--config-file", str(config), "run", f"{base}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {token}",
            "--checks", CHECKS,
            "--exclude-path-regex", ENDS_THE_RUN,
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
    code = 0
    for caller, token, share in callers(client, seed(client)):
        print(f"\n--- {arguments.database}: {caller}", flush=True)
        code |= generate(arguments, folder, client.base, token, round(arguments.seconds * share))
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
