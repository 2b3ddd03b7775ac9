"""The HTTP server under the application: a thread for each connection, and an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class HttpServer:
    """Serves a WSGI application on a port; 0 takes a free one."""

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        """Open the port."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._connections = _Connections()
        handler = type("Handler", (_Handler,), {"connections": self._connections})
        self._server: BaseWSGIServer = make_server(host, port, app, threaded=True, request_handler=handler)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self._server.host}:{self._server.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self, timeout: float) -> None:
        """Stop answering, end open connections and join their threads, each within `timeout` seconds."""
        self._server.shutdown()
        self._thread.join(timeout)
        self._connections.close(timeout)
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)


class _Connections:
    """The connections being served, and the threads that serve them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._open[threading.current_thread()] = connection

    def remove(self) -> None:
        with self._lock:
            self._open.pop(threading.current_thread(), None)

    def close(self, timeout: float) -> None:
        with self._lock:
            still_open = dict(self._open)
        for thread, connection in still_open.items():
            with contextlib.suppress(OSError):  # closed by its own thread meanwhile
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout)


class _Handler(WSGIRequestHandler):
    """Serves one connection, quietly."""

    connections: _Connections
    # Answers leave as head and body: without this the second waits for the first's acknowledgement.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Make the connection known to the server."""
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        """The connection is over."""
        super().finish()
        self.connections.remove()

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:  # noqa: ARG002 - the base class passes both
        """Drop a connection the application gave up, or one the client has: no answer, no waiting for more."""
        self.close_connection = True
        with contextlib.suppress(OSError):  # gone already
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
