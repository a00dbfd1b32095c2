# SPDX-License-Identifier: GPL-2.0-or-later
"""What the API server saw: its audit log, request by request, and its metrics."""

import contextlib
import dataclasses
import datetime
import http.client
import json
import re
import time
import urllib.parse
import uuid

# Every request is logged when it ends and a watch also when it begins.  Left out are the lab's own
# writer, which makes thousands of objects, and the API server's requests to itself.
POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [%s, "system:apiserver"]
- level: Metadata
"""


@dataclasses.dataclass(frozen=True)
class Request:
    """One request.  resource is "pods" or "pods/status", "" for a path that is none."""

    audit_id: str
    user: str
    groups: tuple
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    path: str
    query: dict
    code: int
    complete: bool  # false: a watch that is still open
    begun: str
    ended: str

    def matches(self, query=None, **wanted):
        """Are these fields so?  Of query, the parameters that are named; None: not there."""
        return (all(getattr(self, name) == value for name, value in wanted.items())
                and all(self.query.get(k) == v for k, v in (query or {}).items()))


def _request(event):
    uri = urllib.parse.urlsplit(event["requestURI"])
    thing, user = event.get("objectRef", {}), event.get("user", {})
    resource = "/".join(filter(None, [thing.get("resource"), thing.get("subresource")]))
    return Request(
        audit_id=event["auditID"], user=user.get("username", ""),
        groups=tuple(user.get("groups", ())), agent=event.get("userAgent", ""),
        verb=event["verb"], resource=resource, namespace=thing.get("namespace", ""),
        name=thing.get("name", ""), path=uri.path,
        query=dict(urllib.parse.parse_qsl(uri.query, keep_blank_values=True)),
        code=event.get("responseStatus", {}).get("code", 0),
        complete=event["stage"] != "ResponseStarted",
        begun=event["requestReceivedTimestamp"], ended=event["stageTimestamp"])


class AuditLog:
    """The log since the last mark(), the first of which is set when the lab is ready."""

    def __init__(self, path, client):
        self.path, self.client = path, client
        self.offset, self.since = 0, ""  # where the mark is, in the log and in time
        self.own = set()  # our own requests

    def settle(self):
        """Wait until what was answered so far is in the log: a request of our own follows it."""
        tag = str(uuid.uuid4())
        self.own.add(tag)
        try:
            self.client.send("GET", "/version", headers={"Audit-ID": tag})
        except (OSError, http.client.HTTPException):
            return  # no server, nothing to wait for
        deadline = time.monotonic() + 5
        while tag.encode() not in self._read():
            assert time.monotonic() < deadline, f"{self.path}: a request was not logged"
            time.sleep(0.005)

    def mark(self):
        """Forget what was before."""
        self.settle()
        self.offset = self.path.stat().st_size if self.path.exists() else 0
        now = datetime.datetime.now(datetime.UTC)
        self.since = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # as the server writes it

    def _read(self):
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as log:
            log.seek(self.offset)
            return log.read()
        return b""

    def requests(self, **wanted):
        """Requests begun since the mark, in the order in which they were first logged; the lab's
        own are left out.  wanted: see Request.matches."""
        self.settle()
        seen = {}
        for line in self._read().splitlines():
            request = _request(json.loads(line))
            seen[request.audit_id] = request  # the later stage knows more
        return [r for r in seen.values()
                if r.begun >= self.since and r.audit_id not in self.own and r.matches(**wanted)]

    def count(self, **wanted):
        return len(self.requests(**wanted))


class Metrics:
    """One reading of /metrics."""

    def __init__(self, text):
        self.text = text

    def series(self, name):
        """(labels, value) of each series of this name."""
        for line in re.findall(rf"^{name}(?:{{| ).*$", self.text, re.M):
            labels, value = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line).groups()
            yield dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")), float(value)

    def sum(self, name, **labels):
        """The sum of the series that have these labels."""
        return sum(value for found, value in self.series(name)
                   if labels.items() <= found.items())
