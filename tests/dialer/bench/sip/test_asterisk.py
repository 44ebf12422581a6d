from __future__ import annotations

from pathlib import Path

import pytest

from dialer.bench.sip.asterisk import folder_of, usual_folder
from dialer.errors import BadInput
from tests.plugins.asterisk import cache


def test_it_is_looked_for_where_the_tests_put_it() -> None:
    assert usual_folder() == cache()


def test_a_folder_without_it_is_refused_and_none_at_all_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=r"--asterisk .*: there is no usr/sbin/asterisk in it"):
        folder_of(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_of(None) is None


def test_a_folder_with_it_is_taken(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/asterisk").touch()
    assert folder_of(tmp_path) == tmp_path
