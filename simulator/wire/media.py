"""RTP of the callees over real sockets: echo or sounds, a port and a socket for each call that is up (RFC 3550)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from struct import Struct
from typing import Final

from dialer.errors import ResourceBusy
from simulator.wire.phones import Heard
from simulator.wire.profile import MediaMode, MediaPlan
from simulator.wire.sounds import FRAME, FRAME_MS, Frames, Sound, frames

_HEADER: Final = Struct("!BBHII")
_VERSION: Final = 0x80
_HEADER_SIZE: Final = 12
_LONGEST: Final = 2048
_BATCH: Final = 32
_TICK_S: Final = FRAME_MS / 1000.0
_LATE_S: Final = 1.0
"""A ticker that is so late skips ahead instead of sending a burst."""


class _Line:
    """One call's socket and counters."""

    __slots__ = ("at", "frames", "lost", "payload_type", "received", "sent", "sequence", "sock", "ssrc", "to")

    def __init__(self, sock: socket.socket, ssrc: int) -> None:
        self.sock = sock
        self.ssrc = ssrc
        self.received = 0
        self.sent = 0
        self.lost = 0
        self.sequence = 0
        self.at = 0
        self.frames: Frames = ()
        self.payload_type = 0
        self.to = ("", 0)

    def send(self) -> None:
        """Send the next frame; whatever keeps it from leaving costs that frame, and no other call's."""
        data = self.frames[self.at % len(self.frames)]
        head = _HEADER.pack(
            _VERSION, self.payload_type, self.sequence & 0xFFFF, self.at * FRAME & 0xFFFFFFFF, self.ssrc
        )
        self.sequence += 1
        self.at += 1
        self._put(head + data, self.to)

    def take(self, mode: MediaMode) -> None:
        """Read what has come, at most a batch; an echo goes back to where it came from."""
        for _ in range(_BATCH):
            try:
                data, source = self.sock.recvfrom(_LONGEST)
            except OSError:  # nothing more, or what became of a frame that we sent
                return
            if len(data) < _HEADER_SIZE or data[0] & 0xC0 != _VERSION:
                continue
            self.received += 1
            if mode is MediaMode.ECHO:
                self._put(data, source)

    def _put(self, data: bytes, to: tuple[str, int]) -> None:
        try:
            self.sock.sendto(data, to)
        except OSError:
            self.lost += 1
        else:
            self.sent += 1


class RtpPhones:
    """Phones with sockets. `run` is the one task that sends; open it within a running loop.

    Raises ResourceBusy when no port of the plan can be had at the start.
    """

    def __init__(self, plan: MediaPlan, host: str) -> None:
        self._plan = plan
        self._host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._free = deque(range(plan.first_port, plan.first_port + 2 * plan.ports, 2))
        self._lines: dict[int, _Line] = {}
        self._speaking: dict[int, _Line] = {}
        self._opened = 0
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.refused = 0
        """Calls that found no port."""
        self.lost = 0
        """Frames of calls that are over which could not be sent: a full buffer, an address that is out of reach."""
        port = self.open()
        if port is None:
            raise ResourceBusy(f"none of the {plan.ports} media ports from {plan.first_port} is free; change [media]")
        self.close(port)

    def __len__(self) -> int:
        """Count the ports in use."""
        return len(self._lines)

    def open(self) -> int | None:
        """Take the port that was free for longest; those that another process holds are passed over."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            if (sock := self._bind(port)) is not None:
                self._opened += 1
                line = self._lines[port] = _Line(sock, self._opened)
                self._loop.add_reader(sock, line.take, self._plan.mode)
                return port
            self._free.append(port)
        self.refused += 1
        return None

    def play(self, port: int, sound: Sound | None, *, payload_type: int, to: tuple[str, int]) -> None:
        """Send a sound to an address from now on; with `echo` and `tone` only what they know is sent.

        Nothing is sent to a name: it would have to be looked up, and everybody would wait.
        """
        line = self._lines[port]
        mode = self._plan.mode
        if sound is None or mode is MediaMode.ECHO or not to[1] or not _is_address(to[0]):
            self._speaking.pop(port, None)
            return
        if mode is MediaMode.TONE and sound not in {Sound.RINGBACK, Sound.VOICE}:
            sound = Sound.SILENCE
        line.frames, line.payload_type, line.to = frames(sound, payload_type), payload_type, to
        self._speaking[port] = line
        self._wake.set()

    def close(self, port: int) -> Heard:
        """Close the socket and give the port back."""
        self._speaking.pop(port, None)
        line = self._lines.pop(port)
        self._loop.remove_reader(line.sock)
        line.sock.close()
        self.lost += line.lost
        self._free.append(port)
        return Heard(line.received, line.sent)

    async def run(self) -> None:
        """Send a frame for each that speaks every 20 ms, until cancelled."""
        loop = self._loop
        due = loop.time()
        while True:
            if not self._speaking:
                self._wake.clear()
                await self._wake.wait()
                due = loop.time()
            for line in tuple(self._speaking.values()):
                line.send()
            due += _TICK_S
            if loop.time() - due > _LATE_S:
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))

    def shut(self) -> None:
        """Close every socket."""
        for port in tuple(self._lines):
            self.close(port)

    def _bind(self, port: int) -> socket.socket | None:
        sock = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            sock.settimeout(0.0)
            sock.bind((self._host, port))
        except OSError:
            sock.close()
            return None
        return sock


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
