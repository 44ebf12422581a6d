"""What the command line sends is what the service reads: every filter survives the way over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from cdr.queries import CdrFilter
from dialer.errors import BadInput
from web.api_filter import read_filter

_VALUES: dict[str, Any] = {
    "str | None": "Chăm sóc & giữ, 50 %", "int | None": 7, "float | None": 1.25, "bool | None": False,
    "tuple[str, ...]": ("busy", "no-answered"), "tuple[int, ...]": (486, 603), "int": 9,
}  # fmt: skip


def _sent(wanted: CdrFilter) -> Request:
    """Ask as dialer.commands.remote does."""
    query = {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}
    url = httpx.Request("GET", "http://127.0.0.1/api/cdr/search", params=query).url
    return Request({"type": "http", "query_string": url.query, "headers": []})


@pytest.mark.parametrize("field", msgspec.structs.fields(CdrFilter), ids=lambda field: field.name)
def test_each_field_arrives(field: Any) -> None:
    wanted = CdrFilter(**{field.name: _VALUES[CdrFilter.__annotations__[field.name]]})
    assert wanted != CdrFilter()
    assert read_filter(_sent(wanted)) == wanted


@given(st.text(), st.none() | st.booleans(), st.lists(st.integers(1, 699), max_size=3), st.floats(0, 1e9))
def test_any_mixture_arrives(text: str, recorded: bool | None, codes: list[int], span: float) -> None:
    wanted = CdrFilter(
        reason=text.encode("utf-8", "replace").decode(), recorded=recorded, sip_status=tuple(codes), min_talk_s=span
    )
    assert read_filter(_sent(wanted)) == wanted


@pytest.mark.parametrize(
    ("query", "says"), [(b"recorded=maybe", "recorded"), (b"sip_status=x", "sip_status"), (b"nope=1", "unknown")]
)
def test_a_wrong_value_is_named_and_not_repeated(query: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        read_filter(Request({"type": "http", "query_string": query, "headers": []}))
    assert "maybe" not in str(refused.value)
