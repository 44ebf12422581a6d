"""`dialer calls`: the SIP messages of one call, as a ladder, as they were, or as a pcap file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from dialer.commands.cdr_options import Json
from dialer.commands.cdr_view import as_json, make_console
from dialer.commands.context import settings as chosen_settings
from dialer.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.config import Settings
    from dialer.ports import CallTrace
    from telephony_adapters.tracing.draw import Line
    from telephony_adapters.tracing.record import Record

app = typer.Typer(no_args_is_help=True)
_PIPE_WIDTH: Final = 100
_STYLES: Final = {
    "provisional": "blue", "success": "green", "failure": "red", "head": "bold", "gap": "dim",
}  # fmt: skip


@app.callback()
def main() -> None:
    """Keep `trace` a command with a name."""


@app.command()
def trace(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help="The call's id, or a SIP Call-ID of it.")],
    pcap: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them for Wireshark or sngrep instead; - = to a pipe.")
    ] = None,
    messages: Annotated[bool, typer.Option("--messages", help="Print the whole messages too.")] = False,
    width: Annotated[int | None, typer.Option(min=40, help="Columns of the ladder; else the terminal's.")] = None,
    json: Json = False,
) -> None:
    """Show the signalling of one call as a ladder; numbers are masked.

    Only calls that the setting sip_trace_share takes in are kept, until the disk that sip_trace_mb allows is needed.
    """
    from telephony_adapters.tracing.ladder import make_trace

    records = _read(chosen_settings(), call_id)
    if pcap is not None:
        _write_pcap(pcap, records)
        return
    found = make_trace(records)
    if json:
        typer.echo(as_json(_for_programs(found, records, messages=messages)))
    else:
        _print(found, records, messages=messages, width=width)


def _read(settings: Settings, call_id: str) -> list[Record]:
    from telephony_adapters.tracing.read import read_call

    records = read_call(settings.sip_trace_path, call_id)
    if not records:
        raise NotFound(f"no SIP message of call {call_id!r} is kept: {_why(settings, call_id)}")
    return records


def _why(settings: Settings, call_id: str) -> str:
    from telephony_adapters.tracing.record import call_id_of, is_sampled, key_of

    share = settings.sip_trace_share
    how = "set DIALER_SIP_TRACE_SHARE=1, start the dialer again, and each call from then on has a trace"
    if share == 0:
        return f"tracing is off (sip_trace_share is 0); {how}"
    if not is_sampled(key_of(call_id_of(call_id)), share):
        return f"sip_trace_share is {share:g}, and this call is not in that share; {how}"
    return (
        f"it may be older than what {settings.sip_trace_mb} MB (sip_trace_mb) hold, or than the setting, or of an "
        f"engine with another --home; `dialer cdr show {call_id}` says whether there is such a call"
    )


def _write_pcap(file: Path, records: Sequence[Record]) -> None:
    from telephony_adapters.tracing.pcap import write_pcap

    data = write_pcap(records)
    if str(file) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}; name another file") from error
    typer.echo(f"{len(records)} messages written to {file}")


def _for_programs(found: CallTrace, records: Sequence[Record], *, messages: bool) -> dict[str, Any]:
    import msgspec

    shown: dict[str, Any] = msgspec.to_builtins(found)
    if messages:
        shown["messages"] = [record.data.decode("utf-8", "replace") for record in records]
    return shown


def _print(found: CallTrace, records: Sequence[Record], *, messages: bool, width: int | None) -> None:
    from telephony_adapters.tracing.draw import draw, printed

    console = make_console()
    for line in draw(found, width or (console.width if console.is_terminal else _PIPE_WIDTH)):
        console.print(_coloured(line), soft_wrap=True)
    if messages:
        console.print()
        for text in printed(found, records):
            console.print(Text(text), soft_wrap=True)


def _coloured(line: Line) -> Text:
    text = Text(line.text)
    text.stylize(_STYLES.get(line.kind, ""), line.start, line.end)
    return text
