from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadInput
from dialer.recordings import RecordingFormat, Stored, path_of, url_of


@pytest.mark.req("S0-25")
def test_a_recording_lies_by_its_date_and_is_named_by_its_call() -> None:
    assert path_of("018f-ab", 1_790_000_000.0, RecordingFormat.MP3) == "2026/09/21/018f-ab.mp3"
    assert url_of("018f-ab") == "/api/recordings/018f-ab/audio"
    kept = Stored("018f-ab", 1, 0.0, "", "2026/09/21/018f-ab.wav", RecordingFormat.WAV, 1, "", 1.0, 0.0)
    assert kept.file_name == "018f-ab.wav"


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../etc/passwd", "a\\b", "a..b", ".hidden", "x" * 65, "a\0", "à"])
def test_what_is_no_plain_name_gets_no_path(name: str) -> None:
    with pytest.raises(BadInput, match="no call's id"):
        path_of(name, 0.0, RecordingFormat.WAV)


@given(st.text(max_size=70), st.floats(0, 4e9))
def test_no_path_leaves_its_day(name: str, at: float) -> None:
    try:
        path = path_of(name, at, RecordingFormat.WAV)
    except BadInput:
        return
    year, month, day, file = path.split("/")
    assert (len(year), len(month), len(day)) == (4, 2, 2)
    assert file == f"{name}.wav"
    assert ".." not in path
    assert path.isprintable()
