"""An Asterisk in memory, as far as the machine can tell: it obeys requests, and says what becomes of channels."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from telephony_adapters.asterisk.machine import Machine
from telephony_adapters.asterisk.messages import (
    NO_REPLY,
    AriEvent,
    Bridge,
    CallerId,
    Channel,
    Dialplan,
    Playback,
    Recording,
    Request,
)
from telephony_adapters.asterisk.resync import Held, compare

OK, NO_CONTENT, NOT_FOUND, CONFLICT, BROKEN = 200, 204, 404, 409, 500
APP: Final = "dialer"


class Leg:
    """A channel: whether it is up and in our application, where it talks, what listens to it."""

    def __init__(self, name: str, *, up: bool = False, inside: bool = False, data: str = "") -> None:
        self.name = name
        self.up = up
        self.inside = inside
        self.data = data
        self.bridge: str | None = None
        self.ears: list[str] = []
        self.recording: str | None = None

    def shown(self) -> Channel:
        """Return it as `GET /channels` does."""
        dialplan = Dialplan(app_name="Stasis" if self.inside else "AppDial2", app_data=self.data)
        return Channel(
            self.name, "Up" if self.up else "Down", caller=CallerId("0900000001"), dialplan=dialplan,
            creationtime="2026-11-26T02:15:02.376+0000",
        )  # fmt: skip


class Model:
    """One Asterisk; `says` waits to be heard."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, None] = {}
        self.playbacks: dict[str, str] = {}
        self.says: deque[AriEvent] = deque()
        self.most_legs = 0
        self._ways: dict[tuple[str, str], Callable[[list[str], Request], int]] = {
            ("POST", "channels"): self._post_channel,
            ("DELETE", "channels"): self._delete_channel,
            ("POST", "bridges"): self._post_bridge,
            ("DELETE", "bridges"): self._delete_bridge,
            ("DELETE", "playbacks"): self._stop_playback,
            ("POST", "recordings"): self._stop_recording,
            ("POST", "applications"): self._watch,
        }

    # --- requests --------------------------------------------------------------------------------------------------

    def perform(self, request: Request) -> int:
        """Obey, and return the status."""
        kind, *rest = (unquote(part) for part in request.path.removeprefix("/").split("/"))
        return self._ways[request.method, kind](rest, request)

    def _post_channel(self, rest: list[str], request: Request) -> int:
        if not rest:
            name = request.query["channelId"]
            if name in self.legs:
                return CONFLICT
            self.legs[name] = Leg(name)
            return OK
        leg = self.legs.get(rest[0])
        if leg is None:
            return NOT_FOUND
        return self._do(leg, rest[1:], request)

    def _do(self, leg: Leg, what: list[str], request: Request) -> int:
        if not leg.inside:
            return CONFLICT
        match what:
            case ["answer"]:
                leg.up = True
            case ["continue"]:
                leg.inside, leg.data = False, ""
            case ["play", name]:
                self.playbacks[name] = leg.name
            case ["snoop", name]:
                self.legs[name] = Leg(name, up=True, inside=True)
                leg.ears.append(name)
                self._say("StasisStart", self.legs[name])
            case ["record"]:
                leg.recording = request.query["name"]
            case ["moh"] | ["ring"]:
                pass
            case _:
                raise AssertionError(request)
        return NO_CONTENT

    def _delete_channel(self, rest: list[str], _request: Request) -> int:
        leg = self.legs.get(rest[0])
        if leg is None:
            return NOT_FOUND
        if len(rest) == 1:
            self.end(leg.name, 16)
        return NO_CONTENT

    def _post_bridge(self, rest: list[str], request: Request) -> int:
        if len(rest) == 1:
            self.bridges[rest[0]] = None
            return OK
        if rest[0] not in self.bridges:
            return NOT_FOUND
        for name in request.query["channel"].split(","):
            leg = self.legs.get(name)
            if leg is None or not leg.inside or not leg.up:
                return CONFLICT
            leg.bridge = rest[0] if rest[1] == "addChannel" else None
        return NO_CONTENT

    def _delete_bridge(self, rest: list[str], _request: Request) -> int:
        for leg in self.legs.values():
            leg.bridge = None if leg.bridge == rest[0] else leg.bridge
        return NO_CONTENT if self.bridges.pop(rest[0], 1) is None else NOT_FOUND

    def _stop_playback(self, rest: list[str], _request: Request) -> int:
        if rest[0] not in self.playbacks:
            return NOT_FOUND
        self.finish(rest[0])
        return NO_CONTENT

    def _stop_recording(self, rest: list[str], _request: Request) -> int:
        leg = next((leg for leg in self.legs.values() if leg.recording == rest[1]), None)
        if leg is None:
            return NOT_FOUND
        self._recorded(leg)
        return NO_CONTENT

    def _watch(self, _rest: list[str], request: Request) -> int:
        return OK if request.query["eventSource"].removeprefix("channel:") in self.legs else NOT_FOUND

    # --- the world -------------------------------------------------------------------------------------------------

    def _say(self, kind: str, leg: Leg, **more: object) -> None:
        self.says.append(AriEvent(kind, channel=leg.shown(), **more))  # type: ignore[arg-type]  # by name

    def arrive(self, name: str) -> None:
        """Let somebody call a hotline."""
        self.legs[name] = leg = Leg(name, inside=True, data=f"{APP},inbound,02471000001")
        self._say("StasisStart", leg, args=("inbound", "02471000001"))

    def ring(self, name: str, *, early: bool = False) -> None:
        """Let a channel ring, or hear early media."""
        status = "PROGRESS" if early else "RINGING"
        self.says.append(AriEvent("Dial", peer=self.legs[name].shown(), dialstatus=status))

    def answer(self, name: str) -> None:
        """Let somebody answer."""
        leg = self.legs[name]
        leg.up = leg.inside = True
        self._say("StasisStart", leg)

    def detect(self, name: str, status: str = "HUMAN", cause: str = "") -> None:
        """Let AMD come to a result."""
        leg = self.legs[name]
        leg.inside, leg.data = True, f"{APP},amd,{status},{cause}"
        self._say("StasisStart", leg, args=("amd", status, cause))

    def press(self, name: str, digit: str) -> None:
        """Let somebody press a key."""
        self._say("ChannelDtmfReceived", self.legs[name], digit=digit)

    def finish(self, playback: str, *, state: str = "done") -> None:
        """Let a prompt be over."""
        del self.playbacks[playback]
        self.says.append(AriEvent("PlaybackFinished", playback=Playback(playback, state)))

    def _recorded(self, leg: Leg) -> None:
        if leg.recording is not None:
            self.says.append(AriEvent("RecordingFinished", recording=Recording(leg.recording, 1.0)))
            leg.recording = None

    def end(self, name: str, cause: int = 16, tech_cause: int = 0) -> None:
        """Let a channel be gone, and what listens to it."""
        leg = self.legs.pop(name)
        for ear in leg.ears:
            if ear in self.legs:
                self.end(ear)
        self._recorded(leg)
        for playback, who in tuple(self.playbacks.items()):
            if who == name:
                self.finish(playback)
        self._say("ChannelDestroyed", leg, cause=cause, tech_cause=tech_cause)

    def held(self) -> Held:
        """Return what there is."""
        bridges = [
            Bridge(name, tuple(leg.name for leg in self.legs.values() if leg.bridge == name)) for name in self.bridges
        ]
        return Held([leg.shown() for leg in self.legs.values()], bridges, frozenset(self.legs))


class Driven:
    """A machine and its Asterisk; requests of one lane are obeyed in order, those of others whenever it is wanted."""

    def __init__(self, machine: Machine, model: Model | None = None) -> None:
        self.machine = machine
        self.model = model or Model()
        self.lanes: dict[str, deque[Request]] = {}
        self.told: list[object] = []
        self.sent: list[Request] = []
        self.now = 0.0

    def drain(self) -> None:
        """Take what the machine wants."""
        asks, told = self.machine.take()
        self.told += told
        for request in asks:
            self.lanes.setdefault(request.lane, deque()).append(request)

    def send(self, lane: str, *, status: int | None = None) -> None:
        """Have the next request of a lane obeyed, or refused with a status; NO_REPLY: obeyed or not, nobody knows."""
        request = self.lanes[lane].popleft()
        if not self.lanes[lane]:
            del self.lanes[lane]
        self.sent.append(request)
        self.machine.answered(request, self.model.perform(request) if status is None else status, self.now)
        self.drain()

    def lose(self, lane: str) -> None:
        """Have the next request of a lane obeyed, and its answer lost."""
        request = self.lanes[lane].popleft()
        if not self.lanes[lane]:
            del self.lanes[lane]
        self.sent.append(request)
        self.model.perform(request)
        self.machine.answered(request, NO_REPLY, self.now)
        self.drain()

    def hear(self) -> None:
        """Have the next event heard."""
        self.machine.heard(self.model.says.popleft(), self.now)
        self.drain()

    def go_on(self) -> None:
        """Go on until nothing is to be sent or heard."""
        self.drain()
        while self.lanes or self.model.says:
            while self.model.says:
                self.hear()
            for lane in tuple(self.lanes):
                if lane in self.lanes:
                    self.send(lane)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.machine.handle_timers(self.now)
            self.go_on()
        self.now = until

    def resync(self, *, adopt: bool = False) -> None:
        """Compare, after a cut: what was said meanwhile is lost."""
        self.model.says.clear()
        known = list(self.machine.board.channels)
        compare(self.machine, self.model.held(), known, self.now, adopt=adopt)
        self.drain()
