"""Read the filter of call records from an address."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec
from starlette.requests import Request

from cdr.queries import CdrFilter
from dialer.errors import BadInput


def read_filter(request: Request, *, beside: Container[str] = ()) -> CdrFilter:
    """Read the fields of CdrFilter, leaving out the parameters `beside` them.

    Raises BadInput for an unknown or wrong one, without repeating its value.
    """
    query = request.query_params
    known = {field.encode_name: field.type for field in msgspec.structs.fields(CdrFilter)}
    unknown = {name for name in query if name not in beside} - known.keys()
    if unknown:
        raise BadInput(f"unknown parameter; known ones: {', '.join(known)}")
    wanted: dict[str, Any] = {}
    for name in query.keys() & known.keys():
        values = query.getlist(name)
        wanted[name] = values if _is_many(known[name]) else values[-1]
    try:
        return msgspec.convert(wanted, CdrFilter, strict=False)
    except msgspec.ValidationError as error:
        where = str(error).rpartition("`$.")[2].rstrip("`") or "the query"
        raise BadInput(f"the parameter {where} has a wrong value; look at the kind that it needs") from error


def _is_many(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) in {list, tuple, set, frozenset}
