"""The SIP trunks in a process of their own beside the engine's: what the engine thinks about delays no message.

`SipProcess` starts `python -m telephony_adapters.trunks.process` and speaks with it over a pair of sockets. The process
ends with its engine, by hanging up; its own death is an adapter that is down.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dialer import errors
from dialer.clock import SystemClock
from dialer.core.events import CallConnected
from dialer.core.trunks import TrunkLimit
from dialer.core.types import AgentId, CallId
from dialer.errors import AdapterDown, DialerError
from dialer.ports import CallStatusAtSwitch, Clock
from dialer.switch import Plain
from statuses.outcomes import CancelReason
from telephony_adapters.trunks import frames
from telephony_adapters.trunks.config import load
from telephony_adapters.trunks.frames import ORDERS, REPORTS, Figures, Order, Report, Start, framed, received
from telephony_adapters.trunks.journal import Journal
from telephony_adapters.trunks.machine import Told
from telephony_adapters.trunks.model import TrunksFile
from telephony_adapters.trunks.routes import limit_of
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.telephony import CAPABILITIES, SipTelephony
from telephony_adapters.wire.collecting import collect_seldom
from telephony_adapters.wire.uvloops import run

log = logging.getLogger("telephony_adapters.trunks.process")

_STOP_S: Final = 5.0
"""How long a stop waits for the process to have hung up."""
_FIGURES_EVERY_S: Final = 2.0


class SipProcess(Plain):
    """Implements dialer.ports.Telephony by a process that holds the trunks. Enter it before use, once."""

    name = "sip"

    def __init__(self, file: TrunksFile, start: Start, *, clock: Clock) -> None:
        self.capabilities = CAPABILITIES
        self.on_connected: Callable[[AgentId, CallId, float], None] | None = None
        """Told (agent, call, now) when a talk begins; simulated desks use it."""
        self.limits: tuple[TrunkLimit, ...] = tuple(limit_of(trunk) for trunk in file.trunks.values())
        self.pid = 0
        self._start = start
        self._clock = clock
        self._figures = Figures()
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._events: asyncio.Queue[Told | None] = asyncio.Queue()
        self._snapshots: list[asyncio.Future[Sequence[CallStatusAtSwitch]]] = []
        self._began: asyncio.Future[None]
        self._reader: asyncio.Task[None] | None = None
        self._is_closing = False

    async def __aenter__(self) -> Self:
        """Start the process; raise what it could not begin for: BadInput, ResourceBusy, Unreachable."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", log.name, str(theirs.fileno()), stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        self.pid = self._process.pid
        self._began = asyncio.get_running_loop().create_future()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reader = asyncio.create_task(self._read(reader), name="SIP process")
        self._send(self._start)
        try:
            await self._began
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it hang up what is up, and end."""
        await self._close()

    async def _close(self) -> None:
        self._is_closing = True
        process, writer = self._process, self._writer
        if process is None or writer is None:
            return
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.wait({self._reader})
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    # --- what it is told ------------------------------------------------------------------------------------------

    def _send(self, order: Order) -> bool:
        """Tell it; False: it is not there."""
        if self._writer is None or self._is_closing or (self._reader is not None and self._reader.done()):
            return False
        self._writer.write(framed(order))
        return True

    async def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, ring_timeout_s: float, amd: bool = False
    ) -> None:
        """Place one call; raise AdapterDown when the process is not running, NotSupported for machine detection."""
        if amd:
            self._cannot("tell machines from people")
        if not self._send(frames.Originate(call_id, phone, hotline, trunk, ring_timeout_s)):
            raise AdapterDown("the process of the SIP trunks is not running")

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:
        """CANCEL or BYE; unknown ids are ignored."""
        self._send(frames.Hangup(call_id, reason))

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows within 5 s."""
        self._send(frames.Connect(call_id, agent_id))

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:  # noqa: ARG002 -- one switch
        """Call an agent's phone for a call that is not placed yet; AgentOnLine or ConnectFailed follows."""
        if not self._send(frames.Summon(call_id, agent_id)):
            raise AdapterDown("the process of the SIP trunks is not running")

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Keep an agent's phone on the line between calls, or let it go."""
        self._send(frames.Station(agent_id, up))

    async def snapshot(self) -> Sequence[CallStatusAtSwitch]:
        """List the live calls; none when the process is gone: it hung up."""
        answer: asyncio.Future[Sequence[CallStatusAtSwitch]] = asyncio.get_running_loop().create_future()
        if not self._send(frames.Snapshot()):
            return ()
        self._snapshots.append(answer)
        return await answer

    def figures(self) -> Figures:
        """Return how trunks and phones stood a moment ago."""
        return self._figures

    # --- what it tells --------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[Told]:
        """Yield events until the adapter closes; raise AdapterDown when the process died by itself."""
        while (event := await self._events.get()) is not None:
            yield event
        if not self._is_closing:
            status = self._process.returncode if self._process is not None else None
            raise AdapterDown(f"the process of the SIP trunks ended by itself (status {status}); see its log")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            async for report in received(reader, REPORTS):
                self._take(report)
        finally:
            if self._process is not None and not self._is_closing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), _STOP_S)
            for answer in self._snapshots:
                if not answer.done():
                    answer.set_result(())
            if not self._began.done():
                self._began.set_exception(AdapterDown("the process of the SIP trunks ended before it listened"))
            self._events.put_nowait(None)

    def _take(self, report: Report) -> None:
        match report:
            case frames.News():
                self._hear(frames.told(report))
            case frames.Ready():
                self._began.set_result(None)
            case frames.Failed(kind=kind, words=words):
                self._began.set_exception(_error(kind, words))
            case frames.Calls(calls=calls):
                answer = self._snapshots.pop(0)
                if not answer.done():
                    answer.set_result(calls)
            case Figures():
                self._figures = report
            case frames.Line():
                logging.getLogger(report.logger).log(report.level, report.words, extra=dict(report.extra))

    def _hear(self, events: Sequence[Told]) -> None:
        for event in events:
            if isinstance(event, CallConnected) and self.on_connected is not None:
                self.on_connected(event.agent_id, event.call_id, self._clock.now())
            self._events.put_nowait(event)


def _error(kind: str, words: str) -> DialerError:
    found = getattr(errors, kind, DialerError)
    return found(words) if isinstance(found, type) and issubclass(found, DialerError) else DialerError(words)


# --- the process itself -------------------------------------------------------------------------------------------


class _ToEngine(logging.Handler):
    """Hand log lines to the engine, whose log they belong to."""

    def __init__(self, send: Callable[[Report], None]) -> None:
        super().__init__()
        self._send = send
        self._usual = set(vars(logging.makeLogRecord({})))

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line."""
        extra = {
            name: value if isinstance(value, str | int | float | None) else str(value)
            for name, value in vars(record).items()
            if name not in self._usual and name not in {"message", "asctime"}
        }
        words = record.getMessage()
        if record.exc_info:
            words += "\n" + logging.Formatter().formatException(record.exc_info)
        self._send(frames.Line(record.levelno, record.name, words, extra))


class _Child:
    """The trunks, for an engine at the other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._orders = received(reader, ORDERS)
        self._writer = writer

    def send(self, report: Report) -> None:
        """Tell the engine."""
        if not self._writer.is_closing():
            self._writer.write(framed(report))

    async def run(self) -> None:
        """Serve the engine until it is gone."""
        start = await anext(self._orders, None)
        if not isinstance(start, Start):
            return
        try:
            telephony = _telephony(start)
            await telephony.__aenter__()
        except DialerError as error:
            self.send(frames.Failed(type(error).__name__, str(error)))
            return
        tasks = [asyncio.create_task(self._tell(telephony)), asyncio.create_task(self._count(telephony))]
        self.send(frames.Ready())
        try:
            async for order in self._orders:
                await self._obey(telephony, order)
        finally:
            await telephony.__aexit__(None, None, None)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _obey(self, telephony: SipTelephony, order: Order) -> None:
        try:
            match order:
                case frames.Originate():
                    await telephony.originate(
                        order.call_id, phone=order.phone, hotline=order.hotline, trunk=order.trunk,
                        ring_timeout_s=order.ring_s,
                    )  # fmt: skip
                case frames.Hangup():
                    await telephony.hangup(order.call_id, reason=order.reason)
                case frames.Connect():
                    await telephony.connect(order.call_id, agent_id=order.agent_id)
                case frames.Summon():
                    await telephony.summon(order.call_id, agent_id=order.agent_id)
                case frames.Station():
                    await telephony.station(order.agent_id, up=order.up)
                case frames.Snapshot():
                    self.send(frames.Calls(tuple(await telephony.snapshot())))
                case Start():
                    log.error("it was started already", extra={"action": "sip.order_failed"})
        except Exception:
            log.exception("an order failed", extra={"action": "sip.order_failed", "order": type(order).__name__})

    async def _tell(self, telephony: SipTelephony) -> None:
        try:
            async for events in telephony.batches():
                self.send(frames.news(events))
        except AdapterDown:
            log.exception("the SIP trunks stopped", extra={"action": "sip.stopped"})
            self._reader.feed_eof()  # as if the engine had gone: it will, when it sees us go

    async def _count(self, telephony: SipTelephony) -> None:
        while True:
            self.send(telephony.figures())
            await asyncio.sleep(_FIGURES_EVERY_S)


def _telephony(start: Start) -> SipTelephony:
    spend, drained = (None if each is None else Path(each) for each in (start.spend, start.drained))
    plant = Plant(
        load(Path(start.trunks)), key=start.key, overrides=start.overrides, spend_file=spend, drained_file=drained
    )
    trace = None
    if start.trace is not None:
        trace = plant.message_log(Path(start.trace.folder), share=start.trace.share, max_bytes=start.trace.max_bytes)
    journal = Journal(Path(start.journal)) if start.journal is not None else None
    return SipTelephony(plant, clock=SystemClock(), journal=journal, trace=trace)


async def _main(number: int) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):  # the engine says when to stop, after its drain
        asyncio.get_running_loop().add_signal_handler(name, _nothing)
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=number))
    child = _Child(reader, writer)
    root = logging.getLogger()
    root.addHandler(_ToEngine(child.send))
    root.setLevel(logging.INFO)
    await child.run()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _nothing() -> None:
    """Go on."""


if __name__ == "__main__":
    collect_seldom()
    run(_main(int(sys.argv[1])))
