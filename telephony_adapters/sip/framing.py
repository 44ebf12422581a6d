"""Whole messages out of a stream's bytes (RFC 3261 sections 7.5 and 18.3), and keep-alives (RFC 5626 section 4.4.1)."""

from __future__ import annotations

import re
from typing import Final

HEAD_MAX: Final = 65_536
"""Bytes of a start line and headers."""
BODY_MAX: Final = 262_144
"""Bytes of a body."""
PING: Final = b"\r\n\r\n"
"""The peer asks whether we are there: send PONG."""
PONG: Final = b"\r\n"
"""The peer is there. The first half of a ping is one too, since nobody can know what follows."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*+:((?:[^\r\n]++|\r\n[ \t])*+)(?=\r\n)", re.IGNORECASE)
_DIGITS_MAX = 10


class FramingError(ValueError):
    """The stream cannot be understood any more: close it. `frames`: what came whole before, in the same call.

    Its words are always the same few: they are counted.
    """

    def __init__(self, reason: str, frames: list[bytes]) -> None:
        super().__init__(reason)
        self.frames = frames


class StreamFramer:
    """Cuts one connection's bytes into messages; the cuts of the network make no difference."""

    __slots__ = ("_body_max", "_buffer", "_head_max", "_line_ends", "_searched", "_whole")

    def __init__(self, *, head_max: int = HEAD_MAX, body_max: int = BODY_MAX) -> None:
        self._head_max = head_max
        self._body_max = body_max
        self._buffer = bytearray()
        self._searched = 0
        self._whole = 0
        self._line_ends = 0

    @property
    def pending(self) -> int:
        """Return how many bytes wait for the rest of their message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now, and PING and PONG where they came; raise FramingError."""
        self._buffer += data
        frames: list[bytes] = []
        try:
            while (frame := self._next()) is not None:
                frames.append(frame)
        except ValueError as error:
            raise FramingError(str(error), frames) from None
        return frames

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if not self._whole:
            if buffer[:1] == b"\r":
                return self._keep_alive()
            self._whole = self._measure()
        if not self._whole or len(buffer) < self._whole:
            return None
        frame = bytes(memoryview(buffer)[: self._whole])
        del buffer[: self._whole]
        self._whole = self._searched = self._line_ends = 0
        return frame

    def _keep_alive(self) -> bytes | None:
        """Take a line end before a message: every second one in a row ends a ping."""
        if len(self._buffer) == 1:
            return None
        if self._buffer[1:2] != b"\n":
            raise ValueError("a carriage return without a line feed between messages")
        del self._buffer[:2]
        self._line_ends += 1
        return PONG if self._line_ends % 2 else PING

    def _measure(self) -> int:
        """Return the length of the message that begins here; 0 while its head is not whole."""
        end = self._buffer.find(_END, self._searched)
        head = end + len(_END) if end >= 0 else len(self._buffer)
        if head > self._head_max:
            raise ValueError(f"the head of a message is longer than {self._head_max} bytes")
        if end < 0:
            self._searched = max(0, head - len(_END) + 1)
            return 0
        return head + self._length(bytes(memoryview(self._buffer)[: end + 2]))

    def _length(self, head: bytes) -> int:
        values = {b" ".join(value.split()) for value in _LENGTH.findall(head)}
        if len(values) != 1:
            raise ValueError("Content-Length is missing" if not values else "Content-Length is said twice, differently")
        value = values.pop()
        if not value.isdigit() or len(value) > _DIGITS_MAX:
            raise ValueError("Content-Length is not a number")
        if (length := int(value)) > self._body_max:  # the words are counted: nothing of the peer's stands in them
            raise ValueError(f"Content-Length is more than the {self._body_max} bytes that are allowed")
        return length
