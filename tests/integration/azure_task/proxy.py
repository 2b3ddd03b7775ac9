"""A forward proxy, and a server with a certificate of its own: what lies between an agent and the clouds."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Place = tuple[str, int]


class Proxy:
    """A proxy that knows a few hosts by name; `asked` are the requests it got, those without its login refused."""

    def __init__(self, hosts: Mapping[str, Place], login: str) -> None:
        self.hosts = hosts
        self.login = "Basic " + base64.b64encode(login.encode()).decode() if login else ""
        self.asked: list[str] = []
        self.refused: list[str] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def _admitted(self) -> bool:
        proxy: Proxy = self.server.proxy
        words = f"{self.command} {self.path}"
        if proxy.login and self.headers.get("Proxy-Authorization") != proxy.login:
            proxy.refused.append(words)
            self.send_response(407)
            self.send_header("Proxy-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        proxy.asked.append(words)
        return True

    def do_CONNECT(self) -> None:
        if not self._admitted():
            return
        self.close_connection = True
        place = self.server.proxy.hosts.get(self.path.rpartition(":")[0])
        if place is None:
            self.send_error(502)
            return
        with closing(socket.create_connection(place)) as onward:
            self.send_response(200)
            self.end_headers()
            _pass_on(self.connection, onward)

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._admitted():
            return
        host, _, path = self.path.partition("://")[2].partition("/")
        place = self.server.proxy.hosts[host.partition(":")[0]]
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        with closing(HTTPConnection(*place)) as onward:
            onward.request(self.command, f"/{path}", body, headers)
            answer = onward.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while True:
            for ready in select.select([one, other], [], [], 30)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (other if ready is one else one).sendall(data)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[Any]:
    """Serve until the end, in threads that do not outlive it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def proxying(hosts: Mapping[str, Place], login: str = "") -> Iterator[Proxy]:
    """A proxy on this machine."""
    proxy = Proxy(hosts, login)
    with serving(_Handler) as server:
        server.proxy = proxy
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        yield proxy


@contextmanager
def behind_tls(name: str, place: Place, folder: Path) -> Iterator[tuple[Place, Path]]:
    """Give a server with TLS that hands all it gets to `place`, and the certificate that proves its name."""
    certificate, key = _certificate(name, folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    inner = type("Inner", (_Handler,), {"_admitted": lambda _: True})

    def forward(self: Any) -> None:  # noqa: ANN401 - a handler
        self.path = f"http://inner{self.path}"
        _Handler._forward(self)

    inner.do_GET = inner.do_POST = inner.do_PATCH = forward  # type: ignore[attr-defined]  # made just now
    with serving(inner, context) as server:
        server.proxy = Proxy({"inner": place}, "")
        yield ("127.0.0.1", server.server_port), certificate


def _certificate(name: str, folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
