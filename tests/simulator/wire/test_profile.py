from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadInput, NotFound
from simulator.wire.profile import Challenges, Draws, MediaMode, load, parse, shipped

GOOD = """
title = "x"
[carrier.shares]
answer = 1.0
[auth]
algorithms = ["MD5"]
[media]
mode = "echo"
[network.inbound]
loss = 0.1
"""


def test_the_shipped_profiles_are_these_and_all_of_them_load() -> None:
    assert sorted(shipped()) == ["all-codes", "busy-hour", "clean", "flaky", "fraud", "vn-mobile"]
    titles = {load(name).title for name in shipped()}
    assert len(titles) == len(shipped())


def test_each_shipped_profile_is_what_its_name_says() -> None:
    assert load("clean").carrier is None
    assert load("all-codes").draws is Draws.ROWS
    assert load("fraud").auth.challenge is Challenges.ALL
    assert not load("flaky").network.inbound.is_fair
    assert load("flaky").outages
    busy = load("busy-hour").carrier
    assert busy is not None
    assert busy.bursts


def test_a_profile_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    profile = load(str(path))
    assert (profile.media.mode, profile.auth.algorithms, profile.network.inbound.loss) == (
        MediaMode.ECHO, ("MD5",), 0.1,
    )  # fmt: skip


def test_an_unknown_profile_is_answered_with_those_that_exist() -> None:
    with pytest.raises(NotFound, match=r"no profile 'claen'.*all-codes, busy-hour, clean, flaky, fraud, vn-mobile"):
        load("claen")


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ('title = "x"', "", "missing required field `title`"),
        ('title = "x"', 'title = "x"\nshares = 1', "unknown key shares; allowed here: .*carrier.*trunk"),
        ("answer = 1.0", "answer = 0.5", "sum to 0.5; make them sum to 1"),
        ("loss = 0.1", "loss = 10", "network.inbound.loss`"),
        ("loss = 0.1", "lost = 0.1", "unknown key network.inbound.lost; allowed here: .*loss"),
        ('"MD5"', '"MD4"', "auth.algorithms may be SHA-256, MD5 and SHA-512-256, not MD4"),
        ('["MD5"]', "[]", "auth.algorithms`"),
        ('mode = "echo"', 'mode = "loud"', "media.mode`"),
        ('mode = "echo"', "first_port = 65000", "no such ports"),
        ('title = "x"', 'title = "x"\ncountry = "084"', "country`"),
        ('title = "x"', 'title = "x"\nregistrar = {min_s = 100, max_s = 50}', r"registrar.min_s \(100\) is above"),
    ],
)
def test_a_bad_profile_is_refused_with_file_key_and_reason(line: str, wrong: str, said: str) -> None:
    assert line in GOOD
    with pytest.raises(BadInput, match=f"mine.toml: .*{said}"):
        parse(GOOD.replace(line, wrong), source="mine.toml")


def test_the_example_of_the_page_is_a_profile() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "carrier.md").read_text(encoding="utf-8")
    profile = parse(page.split("```toml")[1].split("```")[0], source="docs/carrier.md")
    assert (profile.title, profile.auth.challenge, profile.media.mode) == (
        "My carrier", Challenges.INVITE, MediaMode.TONE,
    )  # fmt: skip
