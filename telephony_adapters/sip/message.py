"""SIP messages as they are read: the parts that every layer needs are parsed once, the others when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from telephony_adapters.sip.names import LISTS, canonical
from telephony_adapters.sip.uri import UriError, split_list

Header = tuple[str, str]


class Via(NamedTuple):
    """One Via value (RFC 3261 section 20.42); `transport` as it came, `port` None when none is named."""

    transport: str
    host: str
    port: int | None
    params: Mapping[str, str]

    @property
    def branch(self) -> str:
        """Return the branch, empty when there is none (RFC 2543)."""
        return self.params.get("branch", "")


class Message:
    """What requests and responses share. `headers` are in order, names canonical, values unfolded.

    `first` holds the first value of each: most headers that are asked for are not there.
    """

    __slots__ = ("_first", "body", "call_id", "cseq", "cseq_method", "from_tag", "headers", "to_tag", "via")

    def __init__(  # noqa: PLR0917 -- made in one place, for each message: keywords would cost
        self,
        headers: list[Header],
        body: bytes,
        via: Via,
        from_tag: str,
        to_tag: str,
        call_id: str,
        cseq: int,
        cseq_method: str,
        first: Mapping[str, str],
    ) -> None:
        self.headers = headers
        self.body = body
        self.via = via
        self.from_tag = from_tag
        self.to_tag = to_tag
        self.call_id = call_id
        self.cseq = cseq
        self.cseq_method = cseq_method
        self._first = first

    def get(self, name: str) -> str | None:
        """Return the first value of a header as it came, None when there is none."""
        found = self._first.get(name)
        return self._first.get(canonical(name)) if found is None else found

    def all(self, name: str) -> list[str]:
        """Return every value of a header, in order; comma lists are split."""
        if name not in self._first and (name := canonical(name)) not in self._first:
            return []
        values = [value for known, value in self.headers if known == name]
        if name not in LISTS or (len(values) == 1 and "," not in values[0]):
            return values
        return [part for value in values for part in _parts(value) if part]

    def has_option(self, header: str, tag: str) -> bool:
        """Tell whether an option tag or a method is named by Supported, Require, Allow ... (case does not matter)."""
        tag = tag.lower()
        for known, value in self.headers:
            if known == header and tag in (lower := value.lower()):
                parts = _parts(lower) if '"' in lower else lower.replace(" ", "").split(",")
                if tag in parts:
                    return True
        return False


def _parts(value: str) -> list[str]:
    """Split a list; one whose quotes or brackets stay open is left whole: whoever needs its parts cannot read it."""
    try:
        return split_list(value)
    except UriError:
        return [value]


class Request(Message):
    """A request."""

    __slots__ = ("method", "uri")

    method: str
    uri: str


class Response(Message):
    """A response; `status` 100 to 699."""

    __slots__ = ("reason", "status")

    status: int
    reason: str
