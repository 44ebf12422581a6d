from __future__ import annotations

import pytest

from dialer.core.events import CallEnded, TrunkClosed, TrunkOpened
from dialer.errors import AdapterDown, Overloaded
from statuses.outcomes import LocalError
from telephony_adapters.asterisk import link
from tests.plugins.asterisk import Asterisk
from tests.plugins.processes import HOST, free_port
from tests.telephony_adapters.asterisk.scenes import TEXT
from tests.telephony_adapters.asterisk.switching import HOTLINE, pipe, switching


async def test_a_server_that_is_not_there_is_a_closed_trunk_and_others_work(asterisk: Asterisk) -> None:
    other = TEXT.replace("main", "gone").replace("127.0.0.1:8088", f"{HOST}:{free_port()}")
    async with switching(other + asterisk.file(asterisk.address, asterisk.address)) as side:
        closed = await side.until(TrunkClosed)
        assert closed.trunk == "gone"
        assert "does not answer" in closed.why
        await side.until(TrunkOpened)
        for trunk, words in (("gone", "does not answer"), ("nobody", "there are: gone, main")):
            with pytest.raises(AdapterDown, match=words):
                await side.telephony.originate(
                    side.new_id(), phone="echo", hotline=HOTLINE, trunk=trunk, ring_timeout_s=30
                )
        await side.telephony.originate(
            call := side.new_id(), phone="bye0", hotline=HOTLINE, trunk="main", ring_timeout_s=30
        )
        assert (await side.over(call)).sip_status == 200


async def test_the_calls_of_a_server_that_does_not_come_back_are_given_up(asterisk: Asterisk) -> None:
    async with pipe(asterisk.http_port) as way:
        text = asterisk.file(asterisk.address, asterisk.address, common="lost_after_s = 1").replace(
            f":{asterisk.http_port}/", f":{way.port}/"
        )
        async with switching(text) as side:
            call = await side.answered("echo")
            way.cut()
            assert (await side.over(call)).local_error is LocalError.LOST
            assert len(side.of(TrunkClosed)) == 1
            way.is_cut = False
            await side.until(TrunkOpened, nth=2)  # what it still held was hung up
            assert len(side.of(CallEnded)) == 1


async def test_two_dialers_do_not_take_one_application_from_each_other(asterisk: Asterisk) -> None:
    text = asterisk.file(asterisk.address, asterisk.address)
    async with switching(text) as first, switching(text) as second:
        closed = await first.until(TrunkClosed)
        assert "another dialer uses the application 'dialer'" in closed.why
        call = await second.answered("bye0")
        await second.over(call)
        assert not second.of(TrunkClosed)


async def test_more_requests_than_a_server_can_take_are_refused(
    asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "CROWD", -1)
    async with switching(asterisk.file(asterisk.address, asterisk.address)) as side:
        with pytest.raises(Overloaded, match="does not keep up"):
            await side.call("echo")
