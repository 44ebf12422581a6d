"""A real HTTP receiver on loopback that misbehaves as it is told to."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

PEM = Path(__file__).with_name("receiver.pem")
"""A certificate for receiver.test, signed by itself, and its key."""


class Post(NamedTuple):
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    client_port: int

    @property
    def event_id(self) -> str:
        return self.headers["x-dialer-event-id"]

    @property
    def told(self) -> Any:
        return json.loads(self.body)


Behave = Callable[[BaseHTTPRequestHandler, Post], None]


def answer(code: int = 200, body: bytes = b"ok", **headers: str) -> Behave:
    def behave(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(seconds: float) -> Behave:
    def behave(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return behave


def slow(seconds: float) -> Behave:
    def behave(handler: BaseHTTPRequestHandler, post: Post) -> None:
        time.sleep(seconds)
        answer()(handler, post)

    return behave


def close_before_answering(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    handler.close_connection = True


def close_inside_the_head(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    handler.close_connection = True


def close_inside_the_body(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler, _post: Post) -> None:
    """Say 200, then a byte now and then, for longer than anybody waits."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        time.sleep(0.1)
        handler.wfile.write(b".")
        handler.wfile.flush()


def endless(written: list[int]) -> Behave:
    """Say 200 and send until the other side has had enough; note how much it let through."""

    def behave(handler: BaseHTTPRequestHandler, _post: Post) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(20_000):
            handler.wfile.write(b"x" * 16_384)
            written.append(16_384)

    return behave


class Receiver:
    """What came in, in order; `behave` may be replaced at any time."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.posts: list[Post] = []
        self.accepted: list[Post] = []
        self.url = ""
        self.port = 0
        self._lock = threading.Lock()

    def came(self, handler: BaseHTTPRequestHandler, post: Post) -> None:
        with self._lock:
            self.posts.append(post)
        with contextlib.suppress(OSError):  # the other side had enough
            self.behave(handler, post)

    @property
    def event_ids(self) -> list[str]:
        return [post.event_id for post in self.posts]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed in the middle of it
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came(self, Post(self.path, headers, body, time.time(), self.client_address[1]))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections are cut here on purpose."""


@contextmanager
def receiving(behave: Behave | None = None, *, port: int = 0, tls: bool = False) -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver(behave or answer())
    with _Server(("127.0.0.1", port), _handler(receiver)) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(PEM)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        receiver.url = f"http://127.0.0.1:{receiver.port}/calls"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join(5)
