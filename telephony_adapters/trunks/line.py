"""One carrier's trunk at work: its file's settings, its gate, its servers, its OPTIONS and its registration; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from dialer.core.events import CallEnded, CallEvent, TrunkClosed, TrunkOpened
from dialer.errors import BadInput
from statuses.classify import AttemptFacts, Override, classify
from statuses.outcomes import EndedBy
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.events import Responded
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.identity import CallerPolicy, caller, number_uri
from telephony_adapters.sip.message import Response
from telephony_adapters.sip.registration import Answer, Registration
from telephony_adapters.sip.registration import State as Registered
from telephony_adapters.sip.srv import Candidates, Server
from telephony_adapters.trunks import causes
from telephony_adapters.trunks.guard import Numbers, may_call
from telephony_adapters.trunks.health import Signal, State, TrunkChanged, signal_of
from telephony_adapters.trunks.model import Peer, Trunk
from telephony_adapters.trunks.routes import Closed, Gate, dialled
from telephony_adapters.trunks.spend import CapReached, Ledger
from telephony_adapters.trunks.trunk import Invitation

_SILENT: Final = (408, 503)
"""Statuses that stand for no response."""
_EPOCH: Final = 1_600_000_000
"""From then on CSeqs are counted: they are below 2**31 (RFC 3261 section 8.1.1.5)."""
_ASKS: Final = 4
"""How many times a request may be sent, with one password and another nonce."""
_ANSWERED: Final = classify(AttemptFacts(sip_status=200, answered=True, agent_bridged=True))
_EVERY_S: Final = 5.0
"""OPTIONS are sent so often while the trunk does not answer, if they are sent at all."""


def session_of(peer: Peer) -> DigestSession | None:
    """Return what answers a peer's challenges, None without credentials."""
    if not peer.username or peer.password is None:
        return None
    return DigestSession([Credentials(peer.username, peer.password.reveal())], peer.auth)


class Line:
    """Implements `Trunk`. `uniform` gives numbers in [0, 1), for weights and jitter."""

    def __init__(
        self,
        trunk: Trunk,
        numbers: Numbers,
        ledger: Ledger,
        *,
        overrides: Sequence[Override] = (),
        uniform: Callable[[], float],
    ) -> None:
        self.name = trunk.name
        self.settings = trunk
        self.offer = None if trunk.offer == "none" else trunk.offer
        self.auth = session_of(trunk)
        self.ring_limit_s, self.call_limit_s = trunk.ring_limit_s, trunk.call_limit_s
        self.gate = Gate(trunk)
        self.servers = Candidates(())
        self.status: int | None = None
        """What OPTIONS was answered last."""
        self._numbers = numbers
        self._ledger = ledger
        self._overrides = overrides
        self._uniform = uniform
        self._uri_end = number_uri("1", trunk.uri_host, trunk.uri_port).removeprefix("sip:1")
        self._policy = CallerPolicy(trunk.caller_id)
        self._changes: list[TrunkClosed | TrunkOpened] = []
        self._options_at: float | None = 0.0 if trunk.options_every_s else None
        self._over_at: float | None = None
        self._room: int | None = None
        """How many calls at once the engine was told of: none, one to try, or as many as there are channels."""
        self._is_known = False
        """There are servers."""
        self._cseq = 0
        self._registration: Registration | None = None

    def serve(self, servers: Sequence[Server]) -> None:
        """Take the servers that the trunk's name stands for now."""
        self.servers.replace(servers)
        self._is_known = bool(self.servers.flows)

    # --- calls -----------------------------------------------------------------------------------------------------

    def admit(self, call_id: str, phone: str, now: float) -> CallEnded | float:
        """Ask the guard, the gate and the day's caps, in this order."""
        refusal = may_call(phone, self._numbers)
        if refusal is not None:
            return causes.not_placed(call_id, refusal)
        at = self.gate.admit(call_id, now)
        if isinstance(at, Closed):
            return causes.not_placed(call_id, at)
        reached = self._ledger.reserve(call_id, self.name, self.settings.rate_of(_digits(phone)), now)
        if isinstance(reached, CapReached):
            self.gate.give(call_id)
            return causes.not_placed(call_id, reached)
        return at

    def invitation(self, phone: str, hotline: str, now: float, tried: Collection[Flow] = ()) -> Invitation | None:
        """Choose a server and word the INVITE for a number that `admit` let in; None: no server is left or known.

        When all have failed lately the first is asked all the same, unless this call has `tried` others: whether the
        trunk is closed is for its health to say. Raises ValueError for a hotline that no URI can hold.
        """
        flow = self.servers.choose(now, self._uniform, tried) if tried else self._choose(now)
        if flow is None:
            return None
        trunk = self.settings
        uri = f"sip:{dialled(trunk, _digits(phone))}{self._uri_end}"
        shown = caller(_shown(trunk, hotline), trunk.uri_host, policy=self._policy)
        return Invitation(
            flow, uri, shown.from_, f"<{uri}>", shown.headers, trunk.session_expires_s, trunk.early_100rel
        )

    def _choose(self, now: float) -> Flow | None:
        return self.servers.choose(now, self._uniform) or next(iter(self.servers.flows), None)

    def unreachable(self, flow: Flow, now: float) -> None:
        """Leave a server alone that nothing can be sent to."""
        self.servers.failed(flow, now + self.settings.rest_s)

    def progress(self, call_id: str, message: Response, *, has_sdp: bool) -> CallEvent:
        """Read a response as this carrier means it."""
        header = self.settings.announcement_header
        said = message.all(header) if header else ()
        return causes.progress(
            call_id, message.status, self.settings, has_sdp=has_sdp,
            early_media=message.all("P-Early-Media"), announcement=said,
        )  # fmt: skip

    def answered(self, call_id: str, now: float) -> None:
        """Begin to bill; the trunk works."""
        self._ledger.answered(call_id, now)
        self._told(self.gate.health.tell(Signal.CALL_WORKED, now))
        if self._over_at is None and self._ledger.has_caps:
            self._over_at = now + self._ledger.ask_every_s

    def ended(self, call_id: str, phone: str, facts: AttemptFacts | None, flow: Flow | None, now: float) -> None:
        """Free the channel, book the call, and judge the trunk by how it ended."""
        self.gate.give(call_id)
        self._ledger.ended(call_id, now)
        health = self.gate.health
        if facts is None:
            if flow is not None:
                self.servers.worked(flow)
            self._told(health.judged(phone, _ANSWERED, now))
        elif facts.sip_status is not None:
            made_here = facts.ended_by is EndedBy.DIALER and facts.sip_status in _SILENT
            cancelled = facts.cancel_reason is not None
            signal = signal_of(
                facts.sip_status, made_here=made_here, cancelled=cancelled, progressed=facts.progressed, rang=facts.rang
            )
            if flow is not None and made_here and not cancelled:
                self.unreachable(flow, now)
            elif flow is not None and signal is Signal.CALL_WORKED:
                self.servers.worked(flow)
            if signal is not None:
                self._told(health.tell(signal, now))
            self._told(health.judged(phone, classify(facts, self._overrides), now))

    def asked_for_rest(self, seconds: float, now: float) -> None:
        """Leave the trunk alone for as long as its 503 asks."""
        self._told(self.gate.health.tell(Signal.RETRY_AFTER, now, rest_s=seconds))

    def over(self, now: float) -> Sequence[str]:
        """Name the calls that would pass a cap by talking on."""
        if self._over_at is None or now < self._over_at:
            return ()
        self._over_at = now + self._ledger.ask_every_s if self.gate.calls else None
        return self._ledger.over(now)

    def drain(self, now: float, *, on: bool = True) -> None:
        """Let calls finish and begin none, or go on."""
        self._told(self.gate.health.tell(Signal.DRAIN if on else Signal.RESUME, now))

    # --- whether it is well ------------------------------------------------------------------------------------------

    def poll(self, ua: UserAgent, now: float) -> None:
        """Send what is due, and let a rest end."""
        self._told(self.gate.health.tick(now))
        flow = self._choose(now)
        if flow is None:
            return
        if self._options_at is not None and now >= self._options_at:
            self._options_at = now + self.settings.options_every_s
            self._ask(ua, flow, "OPTIONS", (), now)
        if self.settings.register:
            self._register(ua, flow, now)

    def _register(self, ua: UserAgent, flow: Flow, now: float) -> None:
        if self._registration is None:
            contact = ua.contact(flow, self.settings.username or "dialer").strip("<>")
            self._registration = Registration(contact, expires_s=self.settings.expires_s)
            self._registration.start(now)
            self._told(self.gate.health.tell(Signal.UNREGISTERED, now))  # no call before the registrar knows us
        register = self._registration.poll(now)
        if register is not None:
            self._ask(ua, flow, "REGISTER", register.headers, now)

    def close(self, ua: UserAgent, now: float) -> None:
        """Take leave of the registrar (RFC 3261 section 10.2.2)."""
        flow = self.servers.choose(now, self._uniform)
        if self._registration is not None and flow is not None:
            self._registration.stop(now)
            self._register(ua, flow, now)

    def _ask(self, ua: UserAgent, flow: Flow, method: str, headers: Sequence[tuple[str, str]], now: float) -> None:
        host, port = self.settings.uri_host, self.settings.uri_port
        own = f"<sip:{self.settings.username or 'dialer'}@{host}>"
        to = own if method == "REGISTER" else f"<sip:{host}>"
        uri = f"sip:{host}" if port is None else f"sip:{host}:{port}"
        # It grows over restarts, too; a challenge takes one more each time.
        self._cseq = max(self._cseq + _ASKS, int(now - _EPOCH) * 2)
        ua.ask(
            now, flow=flow, method=method, uri=uri, from_=own, to=to,
            call_id=f"{method.lower()}-{self.name}@dialer.invalid", cseq=self._cseq,
            token=(self.name, method, flow), headers=headers, auth=self.auth,
        )  # fmt: skip

    def responded(self, event: Responded, now: float) -> None:
        """Take the answer to an OPTIONS or a REGISTER of this trunk."""
        name, method, flow = event.token if isinstance(event.token, tuple) else ("", "", None)
        if name != self.name:
            return
        if method == "OPTIONS":
            self._alive(event, flow, now)
        elif self._registration is not None:
            self._bound(self._registration, event, now)

    def _alive(self, event: Responded, flow: Flow, now: float) -> None:
        self.status = event.status
        silent = event.message is None
        if silent:
            self.servers.failed(flow, now + self.settings.rest_s)
            if self._options_at is not None:
                self._options_at = min(self._options_at, now + _EVERY_S)
        else:
            self.servers.worked(flow)
        self._told(self.gate.health.tell(Signal.SILENT if silent else Signal.ALIVE, now))

    def _bound(self, registration: Registration, event: Responded, now: float) -> None:
        message = event.message
        answer = Answer(event.status) if message is None else Answer(
            event.status, tuple(message.all("Contact")), message.get("Expires"), message.get("Min-Expires"),
            message.get("Retry-After"),
        )  # fmt: skip
        registration.answered(answer, now, self._uniform())
        if registration.state is Registered.REGISTERED:
            self._told(self.gate.health.tell(Signal.REGISTERED, now))
        elif not registration.is_registered(now):
            self._told(self.gate.health.tell(Signal.UNREGISTERED, now))

    def next_at(self) -> float | None:
        """Return when something is due; nothing is before a server is known."""
        if not self._is_known:
            return None
        first = self._options_at
        registration = self._registration
        registers = registration.next_at if registration else 0.0 if self.settings.register else None
        for due in (registers, self.gate.health.until, self._over_at):
            if due is not None and (first is None or due < first):
                first = due
        return first

    def take_changes(self) -> list[TrunkClosed | TrunkOpened]:
        """Return what the engine is to know, and forget it."""
        changes = self._changes
        if changes:
            self._changes = []
        return changes

    def _told(self, change: TrunkChanged | None) -> None:
        """Pass on what changes for the engine: suspicion does not, nor does another reason to be closed."""
        if change is None:
            return
        room = 0 if change.state in {State.DOWN, State.DRAINING} else 1 if change.state is State.PROBING else None
        if room == self._room:
            return
        self._room = room
        self._changes.append(TrunkOpened(self.name, room) if room != 0 else TrunkClosed(self.name, change.why))


def _digits(phone: str) -> str:
    return phone.removeprefix("+")


def _shown(trunk: Trunk, hotline: str) -> str:
    """Return the hotline as the trunk wants numbers; a short number, or one that is no E.164, goes as it is."""
    digits = _digits(hotline)
    return dialled(trunk, digits) if hotline.startswith("+") or digits.startswith(trunk.country_code) else hotline


def check_caller(trunk: Trunk) -> None:
    """Raise BadInput for a trunk whose host no URI can hold."""
    try:
        number_uri("1", trunk.uri_host)
    except ValueError as error:
        raise BadInput(f"trunk {trunk.name}: domain {trunk.uri_host!r}: {error}") from error
