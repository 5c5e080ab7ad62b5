"""HTTPS for the tests: a certificate made on the spot, and the standard library's server behind it."""

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


def write_certificate(directory):
    """Write a certificate that nobody has vouched for, with its key, to one file, and return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.test")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), today - DAY, today + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


class Handler(WSGIRequestHandler):
    def get_environ(self):
        return super().get_environ() | {"HTTPS": "on"}  # from which wsgiref tells the scheme

    def log_message(self, *args):
        """Say nothing."""


class Server(ThreadingMixIn, WSGIServer):
    """Threads, since a browser opens connections that it may never use; the handshake is theirs for the same reason."""

    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        """Say nothing: a connection that the browser gave up is no failure, and a view's error is a 500."""


@contextmanager
def serving_tls(app, directory):
    """Serve `app` by HTTPS on a free port of 127.0.0.1; yield the port."""
    with make_server("127.0.0.1", 0, app, Server, Handler) as server:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(write_certificate(directory))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
