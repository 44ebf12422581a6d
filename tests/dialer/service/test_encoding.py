from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.recordings import RecordingFormat
from dialer.service.encoding import Unreadable, encode
from tests.dialer.service.recording_centre import tone


def test_a_wav_is_kept_as_it_is() -> None:
    wav = tone(2.5)
    kept = encode(wav, RecordingFormat.WAV)
    assert (kept.data, kept.seconds) == (wav, 2.5)


def test_the_same_wav_gives_the_same_mp3() -> None:
    """A crash between file and row makes the file again: its checksum must be that of the row to come."""
    assert encode(tone(1.0), RecordingFormat.MP3) == encode(tone(1.0), RecordingFormat.MP3)


@pytest.mark.parametrize(
    ("rate", "channels", "width", "kbit"),
    [(8_000, 1, 2, 24), (8_000, 1, 1, 24), (16_000, 2, 2, 32), (44_100, 2, 2, 64), (11_025, 1, 2, 32)],
)
def test_an_mp3_has_one_channel_and_the_bits_that_speech_needs(rate: int, channels: int, width: int, kbit: int) -> None:
    made = encode(tone(4.0, rate=rate, channels=channels, width=width), RecordingFormat.MP3)
    assert made.seconds == 4.0
    assert made.data[0] == 0xFF, "an MP3 frame"
    assert made.data[3] >> 6 == 3, "mono"
    assert len(made.data) * 8 / 4000 == pytest.approx(kbit, rel=0.1)


@pytest.mark.component("ffmpeg")
@pytest.mark.parametrize(("channels", "width"), [(1, 2), (2, 2), (1, 1)])
def test_the_mp3_plays_what_was_said(tmp_path: Path, channels: int, width: int) -> None:
    """A tone of 440 Hz is still one, as loud, for another program."""
    made = encode(tone(3.0, channels=channels, width=width), RecordingFormat.MP3)
    (tmp_path / "talk.mp3").write_bytes(made.data)
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "talk.mp3"), "-f", "s16le", "-ac", "1", "-ar", "8000", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    heard = np.frombuffer(raw, "<i2")[4_000:20_000]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.argmax(spectrum) * 8_000 / len(heard) == pytest.approx(440, abs=2)
    assert 6_000 < np.abs(heard).max() < 28_000


def test_silence_of_no_length_is_a_recording_too() -> None:
    for kind in RecordingFormat:
        assert encode(tone(0.0), kind).seconds == 0.0


def test_a_file_that_was_cut_short_gives_what_is_there() -> None:
    wav = tone(2.0)
    assert encode(wav[: len(wav) // 2], RecordingFormat.MP3).seconds == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("wav", [b"", b"RIFF", b"nothing of the kind", tone(1.0)[:30]])
@pytest.mark.parametrize("kind", RecordingFormat)
def test_what_is_no_wav_file_is_refused(wav: bytes, kind: RecordingFormat) -> None:
    with pytest.raises(Unreadable, match="no WAV file"):
        encode(wav, kind)


def test_a_sample_rate_that_no_telephone_has_is_refused() -> None:
    with pytest.raises(Unreadable, match="16 bits at 96000 Hz"):
        encode(tone(0.1, rate=96_000), RecordingFormat.MP3)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_no_bytes_whatever_do_more_than_be_refused(noise: bytes, at: int) -> None:
    wav = bytearray(tone(0.02))
    wav[at : at + len(noise)] = noise
    try:
        encode(bytes(wav), RecordingFormat.MP3)
    except Unreadable:
        return
