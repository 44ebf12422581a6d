"""The override table as a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dialer.commands.overrides import read_overrides, read_text
from dialer.errors import BadInput
from statuses.outcomes import CallStatus
from tests.dialer.process import run

TABLE = '[[override]]\ntrunk = "sim"\nsip = 486\nstatus = "phone-block"\n'


def test_a_table_is_read_and_no_path_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "carrier.toml"
    path.write_text(TABLE, encoding="utf-8")
    (entry,) = read_overrides(path)
    assert (entry.trunk, entry.sip, entry.status) == ("sim", 486, CallStatus.PHONE_BLOCK)
    assert read_overrides(None) == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"colour = 1", "unknown key 'colour'"),
        (b"[[override]]\ntrunk = 'sim'\nsip = 486\nstatus = 'gone'", "override 1: status: "),
        ("sip = 1".encode("utf-16"), "is not UTF-8 text"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_wrong_table_is_named_with_what_is_wrong(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "carrier.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read_overrides(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"\xef\xbb\xbfa\r\nb")
    assert read_text(tmp_path / "t") == "a\r\nb"


@pytest.mark.parametrize(
    ("words", "variable"),
    [(("up", "--overrides", "no.toml"), {}), (("demo", "--fresh"), {"DIALER_OVERRIDES": "no.toml"})],
)
async def test_a_wrong_table_starts_and_forgets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], variable: dict[str, str]
) -> None:
    (tmp_path / "dialer.log").write_text("an earlier demo")
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    code, out, err = await run(tmp_path, *words, "--port", "0")
    assert (code, out, err) == (2, "", "dialer: no.toml: cannot be read: No such file or directory\n")
    assert os.listdir(tmp_path) == ["dialer.log"]  # noqa: PTH208 -- asyncio rules out pathlib here
