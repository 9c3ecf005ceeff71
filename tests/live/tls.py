"""A port that speaks TLS and knows nothing else, for what OpenSearch itself does not start with."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ANSWER = b"HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def port(conf: Path, name: str, *, wants_certificate: bool = False) -> Iterator[str]:
    """Hand out the URL of a port with the certificate NAME.pem of `conf`; it answers every request with status 500."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(conf / f"{name}.pem", conf / f"{name}.key")
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(conf / "ca.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:  # closed: the test is over
            return
        with plain, suppress(OSError):  # the client may be gone
            secured = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            try:
                secured.do_handshake()
                secured.recv(65536)
                secured.sendall(ANSWER)
            except ssl.SSLError:  # what the client sent meanwhile is read, or a reset would overtake our words
                secured.shutdown(socket.SHUT_WR)
                while secured.recv(65536):
                    pass
            finally:
                secured.close()
