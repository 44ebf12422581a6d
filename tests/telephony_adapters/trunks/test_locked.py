from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dialer.errors import BadInput
from telephony_adapters.trunks.locked import content, tables, unlocked
from telephony_adapters.trunks.reading import Secret


class Peer(msgspec.Struct, frozen=True):
    password_env: str = ""
    password_file: Path | None = None
    password: Secret | None = None


def test_a_password_comes_from_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "secret"
    kept.write_text("geheim\n")
    monkeypatch.setenv("TRUNK_PASSWORD", "geheim")
    for peer in (Peer(password_file=kept), Peer(password_env="TRUNK_PASSWORD")):
        assert unlocked(peer, "here").password == Secret("geheim")
    assert unlocked(Peer(), "here") == Peer()


def test_one_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUNK_PASSWORD", raising=False)
    with pytest.raises(BadInput, match="here: password_env: the variable TRUNK_PASSWORD is not set"):
        unlocked(Peer(password_env="TRUNK_PASSWORD"), "here")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(BadInput, match=r"here: password_file: .*empty is empty"):
        unlocked(Peer(password_file=tmp_path / "empty"), "here")
    with pytest.raises(BadInput, match="cannot read the file"):
        content(tmp_path / "nowhere", "the file")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"the file .* is not UTF-8 text"):
        content(tmp_path / "bytes", "the file")


def test_tables_are_those_that_are_known() -> None:
    assert tables("[one]\na = 1", {"one"}, "here") == {"one": {"a": 1}}
    with pytest.raises(BadInput, match="here: not valid TOML"):
        tables("[one", {"one"}, "here")
    with pytest.raises(BadInput, match=r"here: there is no table \[ones\]"):
        tables("[ones]", {"one"}, "here")
