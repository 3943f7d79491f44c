"""A loopback proxy before dynalite that throttles, fails and loses answers, as networks and AWS do.

Knows the DynamoDB wire format just enough to refuse or to answer half. Does not know the stores.
Used by tests/test_infra_dynamodb_faults.py.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal["throttle", "conflict", "error", "deny", "lose answer", "hang", "half"]
_REFUSALS: dict[str, tuple[int, str]] = {
    "throttle": (400, "ProvisionedThroughputExceededException"),
    "conflict": (400, "TransactionConflictException"),
    "error": (500, "InternalServerError"),
    "deny": (400, "AccessDeniedException"),
}
HANG_S = 1.5


@dataclass
class Faults:
    """What goes wrong next, by operation; and what was asked so far."""

    url: str = ""
    coming: dict[str, list[Fault | None]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def next(self, operation: str, fault: Fault, times: int = 1, after: int = 0) -> None:
        """Requests of an operation ("PutItem") fail so, after some fine ones; counts start anew."""
        self.coming[operation] = [*[None] * after, *[fault] * times]
        self.asked.clear()


class _Server(ThreadingHTTPServer):
    """Answers for dynalite, or not, as the faults say."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.faults = Faults(f"http://127.0.0.1:{self.server_address[1]}")
        self._lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed while it is answered is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def next_fault(self, operation: str) -> Fault | None:
        """What goes wrong with this request."""
        with self._lock:
            self.faults.asked[operation] += 1
            coming = self.faults.coming.get(operation)
            return coming.pop(0) if coming else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # killed while it was sending; dynalite itself ends when that happens
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        fault = self.server.next_fault(operation)
        if fault in _REFUSALS:
            status, code = _REFUSALS[fault]
            answer = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"})
            self._answer(status, answer.encode())
            return
        if fault == "hang":
            time.sleep(HANG_S)
        rest: dict[str, Any] = {}
        if fault == "half":
            body, rest = _halved(operation, body)
        status, content = self._forward(body)
        if fault == "lose answer":
            self.close_connection = True
            return
        if rest:
            content = json.dumps(json.loads(content) | rest).encode()
        self._answer(status, content)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=20)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "content-length"}
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def proxy(upstream: str) -> Iterator[Faults]:
    """A proxy to a server's address."""
    server = _Server(upstream)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.faults
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _halved(operation: str, body: bytes) -> tuple[bytes, dict[str, Any]]:
    """A batch of which only the first half is done, as DynamoDB does when it is busy."""
    request = json.loads(body)
    ((table, asked),) = request["RequestItems"].items()
    if operation == "BatchWriteItem":
        half = len(asked) // 2
        rest = {"UnprocessedItems": {table: asked[half:]}}
        request["RequestItems"] = {table: asked[:half]}
    else:
        keys = asked["Keys"]
        half = len(keys) // 2
        rest = {"UnprocessedKeys": {table: {**asked, "Keys": keys[half:]}}}
        request["RequestItems"] = {table: {**asked, "Keys": keys[:half]}}
    return json.dumps(request).encode(), rest
