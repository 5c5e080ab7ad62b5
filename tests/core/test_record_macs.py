"""The keys of records and the names of owners are HMACs, made by copies of kept ones."""

import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import Key, Keyring
from cookiesess.tokens.sealing import RecordSealer


@given(st.binary(min_size=32, max_size=80), st.binary(max_size=64), st.binary(max_size=100), st.text(max_size=100))
def test_a_kept_mac_says_what_a_new_one_says(secret, session_id, plaintext, owner):
    records, key = RecordSealer(Keyring(secret)), Key(secret)
    for _ in range(2):
        payload = records.seal(plaintext, session_id, b"place")
        cipher = AESGCM(hmac.digest(key.derive("record"), session_id, "sha256"))
        assert cipher.decrypt(payload[5:17], payload[17:], payload[:5] + b"place") == plaintext
        assert records.owner_hash(owner) == hmac.digest(key.derive("owner"), owner.encode(), "sha256")
