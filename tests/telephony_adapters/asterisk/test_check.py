from __future__ import annotations

from telephony_adapters.asterisk.ari import Info, System
from telephony_adapters.asterisk.check import Level, Step, _version, check
from telephony_adapters.asterisk.config import parse
from tests.plugins.asterisk import Asterisk
from tests.telephony_adapters.asterisk.scenes import SERVER
from tests.telephony_adapters.asterisk.switching import switching


async def steps(text: str) -> list[Step]:
    return [step async for step in check(parse(text))]


async def test_a_server_that_works_and_one_that_is_in_use(asterisk: Asterisk) -> None:
    text = asterisk.file(asterisk.address, asterisk.address, common='app = "tried"')
    found = await steps(text)
    assert [(step.level, step.what) for step in found] == [
        (Level.OK, "version"), (Level.OK, "modules"), (Level.OK, "WebSocket"),
    ]  # fmt: skip
    async with switching(text) as side:
        call = await side.answered("echo")
        noted = (await steps(text))[-1]
        assert (noted.level, noted.words[:10]) == (Level.NOTE, "1 channels")
        del call


async def test_what_is_wrong_is_said(asterisk: Asterisk) -> None:
    (refused,) = await steps(asterisk.file("x:1", "x:1").replace(asterisk.password, "wrong"))
    assert refused.level is Level.FAILED
    assert "refuses the user or the password" in refused.words


def test_an_old_asterisk_tells_less() -> None:
    assert _version(SERVER, Info(System("18.2.1"))).level is Level.NOTE
    assert _version(SERVER, Info(System("22.10.1"))).level is Level.OK
    assert _version(SERVER, Info(System("GIT-master"))).level is Level.OK
