from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadInput
from simulator.wire.control import COMMANDS, ControlFile, Order, parse_order


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("outage 30", Order("outage", 30.0)),
        ("  REJECT 503  # storm", Order("reject", 503.0)),
        ("loss 0.1", Order("loss", 0.1)),
        ("stop accepting", Order("stop accepting")),
        ("Stop   Accepting", Order("stop accepting")),
        ("resume", Order("resume")),
        ("", None),
        ("   # only a remark", None),
    ],
)
def test_a_line_is_an_order_or_nothing(line: str, order: Order | None) -> None:
    assert parse_order(line) == order


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("outrage 30", "no command 'outrage 30'; there are outage, reject, .*quit"),
        ("stop", "no command 'stop'"),
        ("resume now", "no command 'resume now'"),
        ("reject", "reject takes a whole number from 300 to 699: SIP code.*; not nothing"),
        ("reject 200", "reject takes a whole number from 300 to 699"),
        ("reject 486.5", "reject takes a whole number"),
        ("loss 10", "loss takes a number from 0 to 1: share of the datagrams, both ways; not 10"),
        ("loss nan", "loss takes a number from 0 to 1"),
        ("loss 0.1 0.2", "loss takes a number from 0 to 1.*; not 0.1 0.2"),
    ],
)
def test_a_wrong_line_is_refused_with_what_is_allowed(line: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"control: .*{said}"):
        parse_order(line)


def test_every_command_can_be_given() -> None:
    for word, takes in COMMANDS.items():
        line = word if takes is None else f"{word} {takes.low:g}"
        order = parse_order(line)
        assert order is not None
        assert order.word == word


def test_a_control_file_is_emptied_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "control"
    file = ControlFile(path)
    assert file.take() == []
    path.write_text("loss 0.1\noutage 3\n")
    assert file.take() == ["loss 0.1", "outage 3"]
    assert path.read_text() == ""
    assert file.take() == []
    with path.open("a") as more:
        more.write("resume")
    assert file.take() == ["resume"]


def test_a_control_file_that_is_no_text_or_too_long_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "control"
    path.write_bytes(b"\xff\xfe" + b"x" * 10_000)
    (line,) = ControlFile(path).take()
    assert len(line) <= 4096
    assert path.stat().st_size == 0
    folder = tmp_path / "folder"
    folder.mkdir()
    assert ControlFile(folder).take() == []


def test_the_page_names_every_command() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "carrier.md").read_text(encoding="utf-8")
    table = page.split("| command | effect |")[1]
    assert [word for word in COMMANDS if f"`{word}" not in table] == []
