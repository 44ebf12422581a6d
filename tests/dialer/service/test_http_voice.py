"""A speech service on this machine whose keys are used up one after another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dialer.service.http_voice import HttpVoice
from dialer.speech import TtsKeyExhausted, VoiceFailed


class Service:
    """Takes the keys in `good`; every request is in `asked`."""

    def __init__(self) -> None:
        self.good = {"b": 200}
        self.asked: list[tuple[str, str, str]] = []

    async def speak(self, request: web.Request) -> web.Response:
        key = request.query.get("key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append((request.query["text"], request.query["lang"], key))
        status = self.good.get(key, 402)
        return web.Response(status=status, body=b"RIFF" if status == 200 else b"")


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, str]]:
    found = Service()
    app = web.Application()
    app.router.add_get("/say", found.speak)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield found, str(server.make_url("/say")) + "?text={text}&lang={language}"
    await server.close()


async def test_a_key_that_is_used_up_gives_way_to_the_next_and_is_not_asked_again_at_once(
    service: tuple[Service, str],
) -> None:
    found, url = service
    voice = HttpVoice(url + "&key={key}", ["a", "b"])
    assert await voice.say("Chào & hẹn {x}", "vi") == b"RIFF"
    assert await voice.say("Hello", "en") == b"RIFF"
    assert found.asked == [("Chào & hẹn {x}", "vi", "a"), ("Chào & hẹn {x}", "vi", "b"), ("Hello", "en", "b")]
    await voice.close()


async def test_when_no_key_is_left_it_says_so(service: tuple[Service, str]) -> None:
    found, url = service
    voice = HttpVoice(url, ["a", "c"])
    with pytest.raises(TtsKeyExhausted, match="none of its 2 keys"):
        await voice.say("x", "vi")
    assert [key for *_, key in found.asked] == ["a", "c"]
    await voice.close()


async def test_a_service_that_is_ill_or_away_has_failed_and_its_key_is_as_good_as_before(
    service: tuple[Service, str],
) -> None:
    found, url = service
    found.good["b"] = 500
    voice = HttpVoice(url, ["b"])
    with pytest.raises(VoiceFailed, match="says 500"):
        await voice.say("x", "vi")
    found.good["b"] = 200
    assert await voice.say("x", "vi") == b"RIFF"
    await voice.close()
    gone = HttpVoice("http://127.0.0.1:9/{text}")
    with pytest.raises(VoiceFailed, match="does not answer"):
        await gone.say("x", "vi")
    await gone.close()
