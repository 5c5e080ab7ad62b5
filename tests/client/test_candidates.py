"""How much work a Cookie header can cause: at most four decryptions, and no more text than it brings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import CookiePolicy, InvalidToken, Keyring
from cookiesess.http.candidates import Protection
from cookiesess.http.envelope import Envelope
from cookiesess.session.lifetime import Lifetime
from cookiesess.tokens.sealing import ADDED_BYTES, Sealer
from cookiesess.tokens.signing import ADDED_LENGTH, Signer
from kit.browser import Browser
from kit.constants import KEY, MAX_BYTES, NAME, OTHER_KEY, REF
from kit.views import put
from kit.world import World

ONE = f"{NAME}.1"
SHAPES = {
    "one cookie": (CookiePolicy(max_bytes=MAX_BYTES), False),
    "pieces": (CookiePolicy(max_bytes=MAX_BYTES, chunks=5), False),
    "a reference": (CookiePolicy(max_bytes=MAX_BYTES), True),
    "both": (CookiePolicy(max_bytes=MAX_BYTES, chunks=5), True),
}


class Counting:
    """An envelope of which every look at a token is counted."""

    def __init__(self, shape, *, sealed=True):
        policy, reference = SHAPES[shape]
        self.seen = self.opened = 0
        sealer, signer = Sealer(Keyring(KEY)), Signer(Keyring(KEY))
        read = sealer.unseal if sealed else signer.unsign

        def counted(token, purpose):
            self.seen += len(token)
            try:
                found = read(token, purpose)
            except InvalidToken as error:
                self.opened += error.reason == "forged"
                raise
            self.opened += 1
            return found

        def recognise(start):
            self.seen += 8
            return sealer.recognise(start) if sealed else None

        protection = (
            Protection(sealer.seal, counted, ADDED_BYTES, 0, recognise, keyed=True)
            if sealed
            else Protection(signer.sign, counted, 0, ADDED_LENGTH, recognise, keyed=False)
        )
        self.envelope = Envelope(policy, Lifetime(), protection=protection, reference=reference)

    def read(self, header):
        opened, _ = self.envelope.read(header)
        assert len(opened) <= 4
        return len(opened)


def token(keys=KEY, *, length=10, **settings):
    """The value of a session's cookie."""
    browser = Browser(World(cookie=CookiePolicy(), **settings).make_manager(keys))
    browser.visit(put("text", "x" * length))
    return browser.token


OURS, THEIRS = token(), token(OTHER_KEY)
FORGED = f"{OURS[:-4]}AAAA"
FLOODS = {
    "tokens of ours": [f"{NAME}={OURS}"] * 500,
    "tokens of another key": [f"{NAME}={THEIRS}"] * 500,
    "forged tokens": [f"{NAME}={FORGED}"] * 500,
    "forged references": [f"{REF}={FORGED}"] * 500,
    "junk": [f"{NAME}=x"] * 5000,
    "beginnings of ours": [f"{NAME}=2~{OURS[:20]}", f"{ONE}={OURS[20:]}"] * 500,
    "beginnings of another key": [f"{NAME}=2~{THEIRS[:20]}", f"{ONE}={THEIRS[20:]}"] * 500,
    "beginnings of nothing": [f"{NAME}=5~x"] * 5000,
    "beginnings without an end": [f"{NAME}=5~{OURS[:20]}"] * 500,
    "further pieces": [f"{NAME}=5~{OURS[:20]}", *[f"{NAME}.{at}=x" for at in range(1, 5)] * 1000],
    "long further pieces": [f"{NAME}=2~{OURS[:20]}"] * 500 + [f"{ONE}={'A' * 50_000}"] * 4,
    "commas": [f"{NAME}={OURS},{NAME}={OURS}"] * 500,
    "other names": [f"x{NAME}={OURS}", f"{NAME}x={OURS}", f"a={NAME}={OURS}"] * 500,
}


NOT_OURS = ["tokens of another key", "junk", "beginnings of another key", "beginnings of nothing"]


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_flood_buys_four_decryptions_and_no_more(shape, flood):
    counting = Counting(shape)
    counting.read("; ".join(flood))
    assert counting.opened <= 4


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "signed"])
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_more_text_is_looked_at_than_the_header_brings_four_times(shape, flood, sealed):
    header = "; ".join(flood)
    counting = Counting(shape, sealed=sealed)
    counting.read(header)
    assert counting.seen <= 4 * len(header) + 8 * len(flood)


@pytest.mark.parametrize(
    "flood", ["tokens of another key", "junk", "beginnings of another key", "beginnings of nothing"]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_none_of_our_keys_made_hides_nothing_in_front_of_a_session(shape, flood):
    assert Counting(shape).read("; ".join([*FLOODS[flood], f"{NAME}={OURS}"])) == 1


def test_pieces_are_put_together_behind_any_number_of_beginnings_of_another_key():
    ours = token(length=900)
    pieces = [f"{NAME}=3~{ours[:400]}", f"{ONE}={ours[400:800]}", f"{NAME}.2={ours[800:]}"]
    header = "; ".join([f"{NAME}=3~{THEIRS}"] * 40 + pieces)
    assert Counting("pieces").read(header) == 1


def test_a_beginning_that_opens_is_not_tried_with_planted_pieces_as_well():
    ours = token(length=900)
    pieces = [f"{NAME}=2~{ours[:700]}", f"{ONE}={ours[700:]}", *[f"{ONE}=planted"] * 3]
    counting = Counting("pieces")
    assert counting.read("; ".join(pieces)) == 1
    assert counting.opened == 1


def test_signed_pieces_that_do_not_open_count_since_putting_them_together_is_work():
    ours = token(encrypt=False)
    planted = [f"{NAME}=2~{ours[:50]}", f"{ONE}={ours[50:-4]}AAAA"]
    header = "; ".join([*planted, *[planted[0]] * 3, f"{NAME}={ours}"])
    assert Counting("pieces", sealed=False).read(header) == 0


@pytest.mark.parametrize("start", ["", "A", "AAAA", "!!!!!!!!", "AQ==", "é" * 8])
def test_the_beginning_of_no_token_is_recognised_as_none_of_ours(start):
    with pytest.raises(InvalidToken):
        Sealer(Keyring(KEY)).recognise(start)


def test_the_beginning_of_a_token_of_another_version_or_key_is_called_so():
    sealer = Sealer(Keyring(KEY))
    with pytest.raises(InvalidToken, match="version"):
        sealer.recognise(f"B{OURS[1:]}")
    with pytest.raises(InvalidToken, match="unknown-key") as caught:
        sealer.recognise(THEIRS)
    assert len(caught.value.kid) == 8


@given(length=st.integers(8, 100))
def test_any_beginning_of_a_token_of_ours_is_recognised(length):
    Sealer(Keyring(KEY)).recognise(OURS[:length])
