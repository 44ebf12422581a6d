from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from dialer.errors import Unreachable
from telephony_adapters.asterisk.ari import Ari
from telephony_adapters.asterisk.config import AsteriskFile, parse
from telephony_adapters.asterisk.messages import NO_REPLY, Ask, Request
from tests.plugins.asterisk import Asterisk
from tests.plugins.processes import HOST, free_port
from tests.telephony_adapters.asterisk.scenes import TEXT


def client(text: str) -> Ari:
    file: AsteriskFile = parse(text)
    return Ari(file.servers["main"], file.common)


async def test_what_an_asterisk_holds_and_what_it_does_not(asterisk: Asterisk) -> None:
    async with client(asterisk.file("x:1", "x:1", common='app = "a-app-of-its-own"')) as ari:
        assert (await ari.info()).system.version.startswith("22.")
        assert await ari.channels() == []
        assert await ari.told_of() == frozenset()
        assert await ari.recording("there-is-none") is None
        await ari.drop_recording("there-is-none")
        with pytest.raises(LookupError):
            await ari.get("/channels/there-is-none", object)
        with pytest.raises(Unreachable, match="not ARI"):
            await ari.get("/asterisk/info", list[int])
        with pytest.raises(Unreachable, match="404"):
            await ari.filter()  # no WebSocket has made the application yet
        async with ari.events():
            await ari.filter()
        request = Request(Ask.OTHER, "x", "x", "POST", "/bridges/a%20b.", {"type": "mixing"})
        assert (await ari.send(request)).status == 200
        assert "a b." in {bridge.id for bridge in await ari.bridges()}
        await ari.send(Request(Ask.OTHER, "x", "x", "DELETE", "/bridges/a%20b."))


async def test_a_wrong_password_and_a_server_that_is_not_there(asterisk: Asterisk) -> None:
    async with client(asterisk.file("x:1", "x:1").replace(asterisk.password, "wrong")) as ari:
        with pytest.raises(Unreachable, match=r"refuses the user or the password \(401\); see its ari.conf"):
            await ari.info()
        with pytest.raises(Unreachable, match="refuses the user"):
            async with ari.events():
                pass
    async with client(TEXT.replace("127.0.0.1:8088", f"{HOST}:{free_port()}")) as ari:
        assert (await ari.send(Request(Ask.OTHER, "x", "x", "GET", "/channels"))).status == NO_REPLY
        for asked in (ari.info, ari.channels, ari.told_of, ari.filter):
            with pytest.raises(Unreachable, match="does not answer"):
                await asked()
        with pytest.raises(Unreachable, match="does not answer"):
            async with ari.events():
                pass


async def test_a_long_recording_comes_in_its_time_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony_adapters.asterisk.ari.LONGEST_FILE", 9000)
    stops = asyncio.Event()

    async def sends(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        match request.match_info["name"]:
            case "long":
                for _ in range(8):
                    await response.write(b"x" * 1000)
                    await asyncio.sleep(0.3)
            case "endless":
                await response.write(b"x" * 10_000)
            case _:
                await stops.wait()
        return response

    app = web.Application()
    app.router.add_get("/ari/recordings/stored/{name}/file", sends)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    text = TEXT.replace("127.0.0.1:8088", f"{HOST}:{port}") + "[asterisk]\ntimeout_s = 2.0\n"
    names = ("long", "endless", "stuck")
    async with client(text) as ari:
        long, endless, stuck = await asyncio.gather(*(ari.recording(name) for name in names), return_exceptions=True)
    stops.set()
    await runner.cleanup()
    assert long == b"x" * 8000
    assert isinstance(endless, Unreachable)
    assert "longer than 9000 bytes" in str(endless)
    assert isinstance(stuck, Unreachable)
    assert "does not answer" in str(stuck)
