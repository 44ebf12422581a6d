from __future__ import annotations

from simulator.wire.phones import DISCARD_PORT, Heard, NoPhones
from simulator.wire.sounds import Sound


def test_phones_without_media_share_the_port_where_nobody_listens() -> None:
    phones = NoPhones()
    assert phones.open() == phones.open() == DISCARD_PORT
    phones.play(DISCARD_PORT, Sound.VOICE, payload_type=0, to=("192.0.2.1", 4000))
    assert phones.close(DISCARD_PORT) == Heard(0, 0)
