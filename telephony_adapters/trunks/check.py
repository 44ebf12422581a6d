"""Try one trunk and say, step by step, what works and what to change: `dialer trunk check`.

It calls nobody and changes nothing: it asks by OPTIONS, and by a REGISTER that only asks who is registered.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from dialer.errors import DialerError
from dialer.ports import Clock
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.digest import parse_challenges
from telephony_adapters.sip.events import Requested, Responded
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.message import Response
from telephony_adapters.trunks.line import session_of
from telephony_adapters.trunks.model import Trunk, TrunksFile
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.wire.connection import Limits
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import SipLoop

TIMEOUT_S: Final = 5.0
_CHALLENGES: Final = frozenset({401, 407})
_OK, _FORBIDDEN, _UNKNOWN, _UNAVAILABLE, _SERVER_ERRORS = range(200, 300), 403, 404, 503, 500


class Level(StrEnum):
    """How a step went."""

    OK = "ok"
    UNSURE = "unsure"
    """It could not be tried; a call will show."""
    FAILED = "failed"


class Step(NamedTuple):
    """One thing that was tried; `what` is `name`, `OPTIONS`, `password` or `REGISTER`, `where` the server's address."""

    what: str
    where: str
    level: Level
    words: str


class Reply(NamedTuple):
    """What became of a question; `message` None: nobody answered, and `why`, where it is known."""

    message: Response | None
    why: str
    was_challenged: bool


class Probe:
    """Implements `Machine`: asks, and hears what becomes of it."""

    def __init__(self, config: UaConfig) -> None:
        self._ua = UserAgent(config)
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._whys: dict[Flow, str] = {}
        self._challenged: set[str] = set()

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a message."""
        if data[8:11] in {b"401", b"407"}:
            self._challenged.update(call_id for call_id in self._waiting if call_id.encode() in data)
        self._ua.receive(data, flow, now)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        """Remember why: it is what to tell."""
        self._whys[flow] = why
        self._ua.flow_lost(flow, why, now)

    def handle_timer(self, now: float) -> None:
        """Fire what is due."""
        self._ua.handle_timer(now)

    def next_timer(self) -> float | None:
        """Return when something is due."""
        return self._ua.next_timer()

    def take_sends(self) -> list[Send]:
        """Return what is to be sent."""
        return self._ua.take_sends()

    def hear(self, now: float) -> None:
        """Give what was decided to those who asked."""
        for event in self._ua.take_events():
            if isinstance(event, Responded) and isinstance(event.token, tuple):
                call_id, flow = event.token
                waiting = self._waiting.pop(call_id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(self._reply(event.message, call_id, flow))
            elif isinstance(event, Requested):
                self._ua.respond(event.transaction, 200, now)

    def _reply(self, message: Response | None, call_id: str, flow: Flow) -> Reply:
        return Reply(message, self._whys.get(flow, ""), call_id in self._challenged)

    def ask(self, method: str, trunk: Trunk, flow: Flow, now: float) -> asyncio.Future[Reply]:
        """Ask a server; the future is done when it answered, or cannot be reached."""
        call_id = f"check-{secrets.token_hex(8)}@dialer.invalid"
        own = f"<sip:{trunk.username or 'dialer'}@{trunk.uri_host}>"
        uri = f"sip:{trunk.uri_host}" if trunk.uri_port is None else f"sip:{trunk.uri_host}:{trunk.uri_port}"
        future = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        self._ua.ask(
            now, flow=flow, method=method, uri=uri, from_=own, to=own if method == "REGISTER" else f"<{uri}>",
            call_id=call_id, cseq=1, token=(call_id, flow), auth=session_of(trunk),
        )  # fmt: skip
        return future


async def check(file: TrunksFile, name: str, *, clock: Clock, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Step]:
    """Try the trunk of this name (KeyError: there is none); yield each step when it is known.

    Raises BadInput as `Plant` does, for certificates and keys that cannot be read.
    """
    trunk = file.trunks[name]
    plant = _alone(file, trunk)
    try:
        await plant.prepare(clock)
    except DialerError as error:
        yield Step("name", str(trunk.server), Level.FAILED, str(error))
        return
    finally:
        await plant.close(clock.now())
    flows = plant.lines[0].servers.flows
    yield Step("name", str(trunk.server), Level.OK, f"is {', '.join(map(str, flows))}")
    async with _trials(plant, trunk, flows, clock, timeout_s) as trials:
        for trial in trials:
            async for step in trial.steps():
                yield step


async def names_of(file: TrunksFile, name: str, *, clock: Clock, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Return what each server of a trunk calls itself (Server) when asked by OPTIONS; "" where it does not say.

    Raises BadInput as `Plant` does, and BadInput or Unreachable for a name that cannot be found.
    """
    trunk = file.trunks[name]
    plant = _alone(file, trunk)
    try:
        await plant.prepare(clock)
    finally:
        await plant.close(clock.now())
    async with _trials(plant, trunk, plant.lines[0].servers.flows, clock, timeout_s) as trials:
        replies = [await trial.ask("OPTIONS") for trial in trials]
    return [(reply.message.get("Server") or "") if reply.message is not None else "" for reply in replies]


def _alone(file: TrunksFile, trunk: Trunk) -> Plant:
    return Plant(msgspec.structs.replace(file, trunks={trunk.name: trunk}, agents=None), key=secrets.token_bytes(32))


@asynccontextmanager
async def _trials(
    plant: Plant, trunk: Trunk, flows: Sequence[Flow], clock: Clock, timeout_s: float
) -> AsyncIterator[list[_Trial]]:
    here = dict.fromkeys(("udp", "tcp", "tls"), (plant.media_host, 5060))
    probe = Probe(UaConfig(key=secrets.token_bytes(32), sent_by=here, user_agent=plant.file.sip.user_agent))
    limits = Limits(connect_s=timeout_s, handshake_s=timeout_s)
    loop = SipLoop(
        probe, now=clock.now, after_turn=lambda: probe.hear(clock.now()), client_tls=plant.client_tls, limits=limits
    )
    try:
        # Ports of our own: a dialer may run beside us, on those of the file.
        places = {listen.host for listen in plant.listens if listen.transport == "udp"}
        for place in await loop.open([Listen("udp", host, 0) for host in sorted(places)]):
            here["udp"] = (plant.media_host, place.port)
        yield [_Trial(trunk, flow, probe=probe, loop=loop, clock=clock, timeout_s=timeout_s) for flow in flows]
    finally:
        await loop.close()


class _Trial:
    """One server of the trunk."""

    def __init__(
        self, trunk: Trunk, flow: Flow, *, probe: Probe, loop: SipLoop, clock: Clock, timeout_s: float
    ) -> None:
        self._probe = probe
        self._loop = loop
        self._trunk = trunk
        self._flow = flow
        self._clock = clock
        self._limit_s = 2 * timeout_s + 1 if flow.is_reliable else timeout_s
        """A connection and its handshake have a time each."""

    async def steps(self) -> AsyncIterator[Step]:
        """Ask by OPTIONS, and by REGISTER where that is of use."""
        trunk = self._trunk
        options = await self.ask("OPTIONS")
        step = self._options(options)
        yield step
        if step.level is Level.FAILED:
            return
        if trunk.username and options.was_challenged:
            yield self._step("password", Level.OK, f"the password of {trunk.username} is accepted")
        if trunk.register or (trunk.username and not options.was_challenged):
            yield self._register(await self.ask("REGISTER"))

    async def ask(self, method: str) -> Reply:
        """Ask, and wait no longer than the limit."""
        future = self._probe.ask(method, self._trunk, self._flow, self._clock.now())
        self._loop.kick()
        try:
            async with asyncio.timeout(self._limit_s):
                return await future
        except TimeoutError:
            return Reply(None, "", was_challenged=False)

    def _step(self, what: str, level: Level, words: str) -> Step:
        return Step(what, str(self._flow), level, words)

    def _options(self, reply: Reply) -> Step:
        message = reply.message
        if message is None:
            return self._step("OPTIONS", Level.FAILED, reply.why or self._silence())
        words, level = f"it answers {message.status} {message.reason}", Level.OK
        if message.status in _CHALLENGES:
            level, words = Level.FAILED, self._challenge(message)
        elif message.status == _FORBIDDEN:
            level = Level.FAILED
            words += ": it does not let us in; ask the carrier to allow this machine's address, or for an account"
        elif message.status >= _SERVER_ERRORS and message.status != 501:  # noqa: PLR2004 -- it knows no OPTIONS
            level = Level.FAILED
            after = message.get("Retry-After")
            words += f": it takes no calls now{f', and asks to be tried again in {after} s' if after else ''}"
        elif message.status not in _OK:
            words += ": it is there, which is all that was asked"
        return self._step("OPTIONS", level, words)

    def _silence(self) -> str:
        transport = self._trunk.transport
        others = " or ".join(one for one in ("udp", "tcp", "tls") if one != transport)
        return (
            f"nothing answers over {transport} in {self._limit_s:g} s: check the port, whether the carrier lets this "
            f"machine's address in, and whether it wants the transport {others}"
        )

    def _challenge(self, message: Response) -> str:
        trunk = self._trunk
        offered = parse_challenges([*message.all("WWW-Authenticate"), *message.all("Proxy-Authenticate")])
        realms = ", ".join(dict.fromkeys(repr(one.realm) for one in offered)) or "no realm"
        if not trunk.username:
            return f"it asks for a password ({realms}): set username and password"
        if offered and not any(one.is_usable(trunk.auth) for one in offered):
            wanted = ", ".join(dict.fromkeys(one.base for one in offered))
            return f"it asks for the password by {wanted}, and auth allows {', '.join(trunk.auth)} only: add it to auth"
        if not offered:
            return "it asks for a password in a way that is no digest"
        return f"it does not accept the password of {trunk.username} for {realms}: check username and password"

    def _register(self, reply: Reply) -> Step:
        message, user = reply.message, self._trunk.username
        if message is None:
            level = Level.FAILED if self._trunk.register else Level.UNSURE
            return self._step("REGISTER", level, reply.why or self._silence())
        if message.status in _CHALLENGES:
            return self._step("REGISTER", Level.FAILED, self._challenge(message))
        if not self._trunk.register and not reply.was_challenged:
            return self._step("password", Level.UNSURE, "neither OPTIONS nor REGISTER needs it: a call will show")
        if not self._trunk.register:
            return self._step("password", Level.OK, f"the password of {user} is accepted")
        if message.status in _OK:
            how = "with its password" if reply.was_challenged else "and asks for no password"
            return self._step("REGISTER", Level.OK, f"it takes the account {user}, {how}")
        words = f"it answers {message.status} {message.reason}: "
        if message.status in {_FORBIDDEN, _UNKNOWN}:
            words += f"it does not know the account {user}, or does not let it register from here"
        else:
            words += "it takes no registrations here; leave register out, or ask the carrier where they go"
        return self._step("REGISTER", Level.FAILED, words)
