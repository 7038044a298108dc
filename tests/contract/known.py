#!/usr/bin/env python3
"""Asks for what generated requests do not find by themselves, and holds the answers against the document.

Every list and every thing that the seed has made, the facts as they come, and the operations that end a
session or change a password, each with users of its own. Fails on the first answer that differs, on a list
that is empty, and when an operation of the document is neither asked here nor left out below.

    known.py BASE SEED    (SEED is the JSON file that contract.py writes)
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import struct
import sys
import time

import jsonschema_rs
import requests
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.response_headers_conformance,
]
NOWHERE = "0190f5fe-7c00-7a00-8000-0123456789ab"
PASSWORD = "a long enough password"
# No recorder runs to answer these.
WITHOUT_NODE = ["/api/v1/cameras/{id}/snapshot"]
EVENTS = "/api/v1/events"


def fail(text):
    sys.exit(f"error: {text}")


class Document:
    """The operations of the document, and those that were asked."""

    def __init__(self, base):
        self.base = base
        self.text = requests.get(f"{base}/api/v1/openapi.json", timeout=30).json()
        self.schema = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")
        self.taken = set()

    def ask(self, name, expected, token=None, ids=None, query=None, body=None, cookie=None):
        """One request; its answer must have this status and be as documented."""
        method, path = name.split(" ")
        parts = {"path_parameters": ids or {}, "query": query or {}, "cookies": cookie or {}, "headers": {}}
        if body is not None:
            parts |= {"body": body, "media_type": "application/json"}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while True:
            case = self.schema[path][method].Case(**parts)
            answer = case.call_and_validate(headers=headers, checks=CHECKS)
            if answer.status_code != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        if answer.status_code != expected:
            fail(f"{name}: {answer.status_code} instead of {expected}: {answer.text[:500]}")
        if expected < 300:
            self.taken.add(name)
        return answer

    def operations(self, pattern):
        """Names of the operations whose path matches."""
        return {
            f"{method.upper()} {path}"
            for path, item in self.text["paths"].items()
            if re.search(pattern, path)
            for method in item
            if method in ("get", "post", "put", "patch", "delete")
        }


def walk(document, seed):
    """Every GET with a real id, which must find something."""
    hour = {"from": str(seed["footage"] - 60_000), "to": str(seed["footage"] + 60_000)}
    days = {"from": "2026-01-01", "to": "2026-02-01"}
    queries = {"coverage": hour, "playback": hour, "days": days, "completeness": days}
    for name in sorted(document.operations("")):
        method, path = name.split(" ")
        if method != "GET" or path in [EVENTS, *WITHOUT_NODE]:
            continue
        parts = path.split("/")
        ids = {"id": seed["ids"][parts[parts.index("{id}") - 1]]} if "{id}" in parts else {}
        answer = document.ask(name, 200, seed["token"], ids=ids, query=queries.get(parts[-1]))
        if "json" in answer.headers["content-type"][0]:
            found = answer.json()
            if isinstance(found, dict) and found.get("items") == []:
                fail(f"{name} finds nothing: the seed lacks something")


def events(document, seed):
    """The facts from the beginning: each is as the document says."""
    document.ask(f"GET {EVENTS}", 401, "nobody")
    document.ask(f"GET {EVENTS}", 400, seed["token"], query={"kind": "nothing."})
    headers = {"Authorization": f"Bearer {seed['token']}", "Last-Event-ID": "0"}
    fact = jsonschema_rs.validator_for(
        {"$ref": "#/components/schemas/Event", "components": document.text["components"]}
    )
    kinds = set()
    with requests.get(f"{document.base}{EVENTS}", headers=headers, stream=True, timeout=30) as answer:
        documented = document.text["paths"][EVENTS]["get"]["responses"]["200"]["content"]
        kind = answer.headers["content-type"].split(";")[0]
        if answer.status_code != 200 or kind not in documented:
            fail(f"{EVENTS}: {answer.status_code} {kind}")
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                fact.validate(data)
                kinds.add(data["kind"])
            if {"camera.created", "node.enrolled", "override.created", "footage.erased"} <= kinds:
                break
    document.taken.add(f"GET {EVENTS}")


def totp(secret):
    """The code of now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Leaver:
    """A user whom nobody else is signed in as."""

    def __init__(self, document, seed, number):
        self.document = document
        self.password = PASSWORD
        self.login = f"leaver-{number}@example.org"
        body = {"login": self.login, "name": "Leaver", "role": "org_user"}
        invited = document.ask("POST /api/v1/users", 201, seed["token"], body=body).json()
        self.id = invited["user"]["id"]
        secret = invited["invitation"]["link"].rsplit("/", 1)[-1]
        document.ask("POST /api/v1/invitations/look", 200, body={"token": secret})
        accept = {"token": secret, "password": PASSWORD}
        document.ask("POST /api/v1/invitations/accept", 204, body=accept)

    def sign_in(self, code=None):
        """An access token and the refresh cookie."""
        body = {"login": self.login, "password": self.password} | ({"code": code} if code else {})
        answer = self.document.ask("POST /api/v1/session", 200, body=body)
        return answer.json()["access_token"], cookie(answer)


def cookie(answer):
    """The refresh cookie that an answer sets."""
    pair = answer.headers["set-cookie"][0].split(";")[0]
    name, value = pair.split("=", 1)
    return {name: value}


def sessions(document, seed):
    """Sessions from their beginning to each of their ends."""
    leaver = Leaver(document, seed, 1)
    wrong = {"login": leaver.login, "password": "wrong"}
    document.ask("POST /api/v1/session", 401, body=wrong)
    token, first = leaver.sign_in()
    refresh = "POST /api/v1/session/refresh"
    document.ask(refresh, 204)
    second = cookie(document.ask(refresh, 200, cookie=first))
    document.ask(refresh, 401, cookie=first)
    document.ask(refresh, 401, cookie=second)
    document.ask("GET /api/v1/me", 401, token)
    (token, _), (other, held) = leaver.sign_in(), leaver.sign_in()
    own = document.ask("GET /api/v1/me/sessions", 200, token).json()["items"]
    ids = [{"id": one["id"]} for one in own if not one["current"]]
    one = "DELETE /api/v1/me/sessions/{id}"
    document.ask(one, 404, token, ids={"id": NOWHERE})
    document.ask(one, 204, token, ids=ids[0])
    document.ask("GET /api/v1/me", 401, other)
    document.ask(refresh, 401, cookie=held)
    other, held = leaver.sign_in()
    document.ask("DELETE /api/v1/me/sessions", 204, token)
    document.ask("GET /api/v1/me", 401, other)
    other, held = leaver.sign_in()
    document.ask("DELETE /api/v1/session", 204, cookie=held)
    document.ask("GET /api/v1/me", 401, other)
    of_user, admin = {"id": leaver.id}, seed["token"]
    token, _ = leaver.sign_in()
    document.ask("GET /api/v1/users/{id}/sessions", 200, admin, ids=of_user)
    document.ask("DELETE /api/v1/users/{id}/sessions", 403, token, ids=of_user)
    document.ask("DELETE /api/v1/users/{id}/sessions", 204, admin, ids=of_user)
    document.ask("GET /api/v1/me", 401, token)


def second_factor(document, seed):
    """A second factor, from its secret to its end."""
    leaver = Leaver(document, seed, 2)
    token, _ = leaver.sign_in()
    begin, confirm = "POST /api/v1/me/totp", "POST /api/v1/me/totp/confirm"
    document.ask(confirm, 409, token, body={"code": "000000"})
    document.ask(begin, 403, token, body={"password": "wrong"})
    secret = document.ask(begin, 200, token, body={"password": leaver.password}).json()["secret"]
    document.ask(confirm, 403, token, body={"code": "nothing"})
    made = document.ask(confirm, 200, token, body={"code": totp(secret)}).json()
    document.ask(begin, 409, token, body={"password": leaver.password})
    document.ask("POST /api/v1/session", 401, body={"login": leaver.login, "password": leaver.password})
    leaver.sign_in(made["codes"][0])
    renew = "POST /api/v1/me/totp/recovery-codes"
    document.ask(renew, 403, token, body={"code": made["codes"][0]})
    made = document.ask(renew, 200, token, body={"code": made["codes"][1]}).json()
    remove = {"password": leaver.password, "code": made["codes"][0]}
    document.ask("DELETE /api/v1/me/totp", 403, token, body=remove | {"code": "nothing"})
    document.ask("DELETE /api/v1/me/totp", 204, token, body=remove)


def password(document, seed):
    """A password that is changed. Whoever tries too often has to wait, so it is another user."""
    leaver = Leaver(document, seed, 3)
    token, _ = leaver.sign_in()
    change = "POST /api/v1/me/password"
    document.ask(change, 403, token, body={"current": "wrong", "new": "another long password"})
    document.ask(change, 400, token, body={"current": leaver.password, "new": "x"})
    document.ask(change, 204, token, body={"current": leaver.password, "new": "another long password"})
    leaver.password = "another long password"
    leaver.sign_in()


def main():
    base, seed = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
    document = Document(base)
    walk(document, seed)
    events(document, seed)
    sessions(document, seed)
    second_factor(document, seed)
    password(document, seed)
    wanted = {name for name in document.operations("") if name.startswith("GET ")}
    wanted -= {f"GET {path}" for path in WITHOUT_NODE}
    wanted |= document.operations(seed["ends_the_run"])
    missing = sorted(wanted - document.taken)
    if missing:
        fail(f"never answered as it should be: {missing}")
    print(f"{len(document.taken)} operations answer as documented when they find what they are asked for")


if __name__ == "__main__":
    main()
