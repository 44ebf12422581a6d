"""Tags and branches are keyed hashes: the same inputs, the same id; another key, another id."""

from __future__ import annotations

from telephony_adapters.sip.ids import MAGIC, Ids


def test_the_same_key_makes_the_same_ids_again() -> None:
    one, other = Ids(b"key"), Ids(b"key")
    assert one.tag("call", "caller") == other.tag("call", "caller")
    assert one.branch("call", 1, "INVITE") == other.branch("call", 1, "INVITE")
    assert one.number("call", "rseq", 100) == other.number("call", "rseq", 100)


def test_whatever_differs_makes_another_id() -> None:
    ids = [Ids(b"key"), Ids(b"other")]
    tags = {one.tag(call, what) for one in ids for call in ("a", "b", "é\udcff") for what in ("caller", "callee")}
    assert len(tags) == 12
    branches = {
        one.branch(call, cseq, method)
        for one in ids
        for call in ("a", "b\udcff")
        for cseq in (1, 2)
        for method in ("INVITE", "BYE")
    }
    assert len(branches) == 16


def test_tags_have_64_bits_and_branches_begin_with_the_magic_cookie() -> None:
    ids = Ids(b"key")
    assert len(ids.tag("call", "caller")) == 16
    assert ids.branch("call", 1, "INVITE").startswith(MAGIC)
    assert len(ids.branch("call", 1, "INVITE")) == len(MAGIC) + 18


def test_numbers_stay_below_their_bound_and_spread() -> None:
    drawn = [Ids(b"key").number(str(call), "x", 10) for call in range(300)]
    assert set(drawn) == set(range(10))
