"""What the URLs of Redis open, in the clear and by TLS, and that no message holds a password."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.redis.url import client_of as client_of_url
from cookiesess.stores.urls import open_store
from kit.servers.process import free_port
from kit.servers.redis import folder_of_its_own, prefix, roundtrip, running

QUOTED = "p%40ss%2Fword%3A%20100%25"


def test_a_url_opens_a_store(shared_redis):
    roundtrip(open_store(f"redis://127.0.0.1:{shared_redis.port}?prefix={prefix()}"))


def options_of(store):
    return store._client.get_connection_kwargs()


def test_a_url_s_timeouts_are_two_seconds_and_its_client_repeats_once(shared_redis):
    with closing(open_store(f"redis://127.0.0.1:{shared_redis.port}")) as store:
        assert [options_of(store)[name] for name in ("socket_timeout", "socket_connect_timeout")] == [2, 2]
        assert options_of(store)["retry"].get_retries() == 1


def test_a_url_has_a_database_and_parameters(shared_redis):
    query = "connect_timeout=0.5&timeout=1.5&max_connections=7&prefix=app:"
    with closing(open_store(f"redis://localhost:{shared_redis.port}/3?{query}")) as store:
        options = options_of(store)
        assert (options["db"], options["socket_connect_timeout"], options["socket_timeout"]) == (3, 0.5, 1.5)
        assert store._client.connection_pool.max_connections == 7
        assert repr(store) == "<RedisStore prefix='app:'>"


def test_a_url_names_a_socket_and_a_database():
    with (
        folder_of_its_own() as folder,
        running("--unixsocket", str(folder / "redis.sock")),
        closing(open_store(f"redis+unix://{folder}/redis.sock?database=3&prefix={prefix()}")) as store,
    ):
        assert options_of(store)["db"] == 3
        roundtrip(store)


@pytest.mark.parametrize(
    "url", ["redis+unix://", "redis+unix://host/run/redis.sock", "rediss+unix:///run/redis.sock", "redis+unix://:p@"]
)
def test_a_socket_is_a_path_and_nothing_else(url):
    with pytest.raises(ConfigurationError, match=r"URL is written as rediss?\+unix:///run/redis\.sock\?database=0"):
        open_store(url)


def test_a_url_whose_path_is_a_socket_says_how_that_is_written():
    with pytest.raises(ConfigurationError, match=r"names no host.*redis\+unix:///run/redis\.sock"):
        open_store("redis:///run/redis.sock")


def test_a_url_names_an_ipv6_address_in_brackets():
    client, _ = client_of_url(urlsplit("redis://[::1]:7000/1"))
    options = client.get_connection_kwargs()
    assert (options["host"], options["port"], options["db"]) == ("::1", 7000, 1)


def test_a_url_carries_user_and_password_percent_encoded(guarded_redis):
    roundtrip(open_store(f"redis://:{QUOTED}@127.0.0.1:{guarded_redis.port}?prefix={prefix()}"))
    roundtrip(open_store(f"redis://app:app@127.0.0.1:{guarded_redis.port}?prefix={prefix()}"))


def test_a_url_with_a_wrong_password_is_refused_without_showing_it(guarded_redis):
    with pytest.raises(ConfigurationError) as caught:
        open_store(f"redis://:secretive@127.0.0.1:{guarded_redis.port}")
    assert "secretive" not in f"{caught.value!s}{caught.value!r}{caught.value.__cause__!s}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis:///0", "names no host"),
        ("redis://", "names no host"),
        ("redis://a:1,:2", "names no host"),
        ("redis://:secretive@host:port", "not written as host:port"),
        ("redis://:secretive@host:70000", "not written as host:port"),
        ("redis://:secretive@[::1", "cannot be parsed"),
        ("redis://:secretive@a,b", "is written as redis://user:password@host:6379/0"),
        ("redis://:secretive@host/one", "is written as redis://"),
        ("redis://:secretive@host/0/1", "is written as redis://"),
        ("redis+tcp://:secretive@host", "is written as redis"),
        ("rediss+cluster://:secretive@host/0", "is written as rediss.cluster://"),
        ("redis+sentinel://:secretive@host", "is written as redis.sentinel://"),
        ("redis+sentinel://:secretive@host/service/x", "is written as redis.sentinel://"),
        ("redis+sentinel://:secretive@host/service/0/1", "is written as redis.sentinel://"),
        ("redis://:secretive@host?timeout=0", "timeout is 0.0 seconds"),
        ("redis://:secretive@host?connect_timeout=-1", "connect_timeout is -1.0 seconds"),
        ("redis://:secretive@host?socket_timeout=1", "no parameter 'socket_timeout'"),
        ("redis://:secretive@host?ca_file=ca.pem", "ca_file is for TLS"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_without_its_password(url, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        open_store(url)
    assert "secretive" not in str(caught.value)


def test_a_url_of_a_cluster_names_one_node_or_several(shared_cluster):
    nodes = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *shared_cluster.ports[:2]))
    store = open_store(f"redis+cluster://{nodes}?prefix={prefix()}&timeout=5")
    assert repr(store).startswith("<RedisStore in a Cluster")
    roundtrip(store)


def test_a_url_of_a_cluster_that_is_none_or_not_there_is_unavailable(shared_redis):
    for port in (shared_redis.port, free_port()):
        with pytest.raises(StoreUnavailable) as caught:
            open_store(f"redis+cluster://127.0.0.1:{port}")
        assert isinstance(caught.value.__cause__, redis.RedisClusterException)


def test_a_cluster_s_wrong_password_is_refused(guarded_redis):
    with pytest.raises(ConfigurationError, match="user name or the password"):
        open_store(f"redis+cluster://:secretive@127.0.0.1:{guarded_redis.port}")


# TLS


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture(scope="module")
def tls():
    """A server's port for TLS, and the certificate to trust."""
    with folder_of_its_own() as folder:
        key, certificate = self_signed(folder)
        port = free_port()
        files = ("--tls-key-file", str(key), "--tls-cert-file", str(certificate), "--tls-auth-clients", "no")
        with running("--tls-port", str(port), *files):
            yield port, certificate


def test_a_url_with_tls_trusts_the_authority_that_it_names(tls):
    port, certificate = tls
    roundtrip(open_store(f"rediss://localhost:{port}?ca_file={certificate}&prefix={prefix()}"))


def test_a_url_with_tls_refuses_a_server_that_nobody_vouches_for(tls):
    with pytest.raises(StoreUnavailable) as caught:
        open_store(f"rediss://localhost:{tls[0]}")
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)
