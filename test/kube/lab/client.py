# SPDX-License-Identifier: GPL-2.0-or-later
"""A small JSON client of the API: one kept connection, opened inside a network namespace.

Answers that are no success raise ApiError, except from Client.send, which returns what came.
"""

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
import time
import urllib.parse

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
GONE = (ConnectionError, ssl.SSLError)  # how a connection ends that was kept too long


class ApiError(Exception):
    """An answer that is no success; `reason` is that of its Status object."""

    def __init__(self, answer, what=""):
        self.answer, self.status = answer, answer.status
        try:
            body = json.loads(answer.body)
            self.reason, self.message = body.get("reason", ""), body.get("message", "")
        except ValueError:
            self.reason, self.message = "", answer.body.decode(errors="replace")
        super().__init__(f"{what}: {self.status} {self.reason}: {self.message}")


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)


class _Connection(http.client.HTTPSConnection):
    """A connection whose socket belongs to a network namespace."""

    def __init__(self, namespace, host, port, context, timeout):
        super().__init__(host, port, context=context, timeout=timeout)
        self.namespace = namespace

    def connect(self):
        with self.namespace or contextlib.nullcontext():
            super().connect()


class Client:
    """Requests as one user: with a client certificate, with a token, or as nobody."""

    def __init__(self, namespace, host, port, authority, certificate=None, token=None, timeout=30):
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate.certificate, certificate.key)
        self._make = lambda t: _Connection(namespace, host, port, context, t)
        self.connection, self.lock = self._make(timeout), threading.Lock()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def close(self):
        self.connection.close()

    def send(self, method, path, body=None, *, query=None, accept="application/json",
             content_type="application/json", headers=None):
        """One request; return the Answer, whatever its status.

        A kept connection that the server has closed is opened anew, once.
        """
        path, body, headers = self._prepare(path, body, query, accept, content_type, headers)
        with self.lock:
            kept = self.connection.sock is not None
            while True:
                try:
                    self.connection.request(method, path, body, headers)
                    response = self.connection.getresponse()
                    return Answer(response, response.read())
                except GONE:
                    self.connection.close()
                    if not kept:
                        raise
                    kept = False
                except BaseException:
                    self.connection.close()  # half an answer may still come
                    raise

    def _prepare(self, path, body, query, accept, content_type, headers):
        if query:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(
                {k: str(v).lower() if isinstance(v, bool) else v for k, v in query.items()})
        headers = {**self.headers, "Accept": accept, **(headers or {})}
        if body is not None:
            headers["Content-Type"] = content_type
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
        return path, body, headers

    @contextlib.contextmanager
    def unfinished(self, method, path, headers):
        """Within the block the server waits for the body of a request."""
        with contextlib.closing(self._make(30)) as connection:
            connection.putrequest(method, path)
            for name, value in {**self.headers, **headers, "Content-Type": "application/json",
                                "Content-Length": "1000"}.items():
                connection.putheader(name, value)
            connection.endheaders()
            yield

    def call(self, method, path, body=None, **options):
        """One request; return the object of the answer."""
        answer = self.send(method, path, body, **options)
        if answer.status >= 300:
            raise ApiError(answer, f"{method} {path}")
        return answer.json() if answer.body else None

    def get(self, path, accept="application/json", **query):
        return self.call("GET", path, query=query, accept=accept)

    def text(self, path):
        answer = self.send("GET", path, accept="*/*")
        if answer.status != 200:
            raise ApiError(answer, f"GET {path}")
        return answer.body.decode()

    def post(self, path, body, **query):
        return self.call("POST", path, body, query=query)

    def put(self, path, body, **query):
        return self.call("PUT", path, body, query=query)

    def patch(self, path, body, content_type=MERGE_PATCH, **query):
        return self.call("PATCH", path, body, query=query, content_type=content_type)

    def delete(self, path, **query):
        return self.call("DELETE", path, query=query)

    def pages(self, path, limit, **query):
        """The pages of a list, one answer each."""
        page = self.get(path, limit=limit, **query)
        while True:
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return
            page = self.get(path, limit=limit, **{"continue": token})

    def watch(self, path, accept="application/json", **query):
        """Begin a watch; refused: ApiError."""
        path, _, headers = self._prepare(path, None, {"watch": True, **query}, accept, None, None)
        connection = self._make(30)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                raise ApiError(Answer(response, response.read()), f"GET {path}")
            connection.sock.settimeout(None)
        except BaseException:
            connection.close()
            raise
        return Watch(connection, response)

    def list_and_watch(self, path, accept="application/json", **query):
        """A watch that begins with what there is, as new clients ask for it."""
        return self.watch(path, accept, sendInitialEvents=True, allowWatchBookmarks=True,
                          resourceVersionMatch="NotOlderThan", **query)


class Ended(Exception):
    """The server ended the watch."""


class Watch:
    """The events of a watch, read by a thread so that waiting for one can be given up."""

    def __init__(self, connection, response):
        self.socket, self.response = connection.sock, response
        self.events, self.ended, self.bytes = queue.Queue(), False, 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        try:
            while line := self.response.readline():
                self.bytes += len(line)
                self.events.put(json.loads(line))
        except (OSError, http.client.HTTPException, ValueError):
            pass  # ended in the midst of a line, or by close()
        self.events.put(None)

    def next(self, seconds=10.0):
        """The next event; queue.Empty when none came in time, Ended when none will come."""
        if self.ended:
            raise Ended
        event = self.events.get(timeout=seconds)
        if event is None:
            self.ended = True
            raise Ended
        return event

    def change(self, seconds=10.0):
        """The next event that is no bookmark: the server sends those when it likes."""
        deadline = time.monotonic() + seconds
        while True:
            event = self.next(max(0.0, deadline - time.monotonic()))
            if event["type"] != "BOOKMARK":
                return event

    def until(self, condition, seconds=10.0):
        """Events up to the first that satisfies a condition, that one included."""
        seen = []
        while not seen or not condition(seen[-1]):
            seen.append(self.next(seconds))
        return seen

    def initial(self, seconds=10.0):
        """The objects that a list_and_watch begins with, and the bookmark that ends them."""
        *added, bookmark = self.until(is_end_of_list, seconds)
        return [event["object"] for event in added], bookmark["object"]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.response.close()
        self.socket.close()


def is_end_of_list(event):
    annotations = event["object"].get("metadata", {}).get("annotations") or {}
    return event["type"] == "BOOKMARK" and annotations.get("k8s.io/initial-events-end") == "true"
