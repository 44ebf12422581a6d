"""`dialer carrier`: a SIP server that behaves like a carrier and the people behind it, to test any dialer against."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.errors import BadInput, DialerError

if TYPE_CHECKING:
    import ssl

    from rich.console import Console

    from simulator.wire.figures import Snapshot
    from simulator.wire.profile import MediaMode
    from simulator.wire.server import CarrierServer, Plan
    from telephony_adapters.wire.listen import Listen

_DEFAULT_LISTEN = "udp:127.0.0.1:5070"


def carrier(
    listen: Annotated[
        list[str] | None,
        typer.Option(help=f"udp:HOST:PORT, tcp:..., tls:...; may be repeated; default {_DEFAULT_LISTEN}."),
    ] = None,
    tcp: Annotated[list[str] | None, typer.Option(metavar="HOST:PORT", help="As --listen tcp:HOST:PORT.")] = None,
    tls: Annotated[list[str] | None, typer.Option(metavar="HOST:PORT", help="As --listen tls:HOST:PORT.")] = None,
    profile: Annotated[str, typer.Option(help="A shipped profile's name (--profiles), or a path.")] = "vn-mobile",
    seed: Annotated[int, typer.Option(help="The same seed, number and attempt give the same fate.")] = 7,
    media: Annotated[str | None, typer.Option(help="none, echo, tone or announce, instead of the profile's.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The carrier's call records: JSON lines, or .csv.")
    ] = None,
    control: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Obey commands written there, such as `outage 30`.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address that Contact and SDP bear, behind NAT.")] = None,
    certificate: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="The certificate for --tls.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="Its key; without it, in the same file.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Callers must show a certificate of these authorities.")
    ] = None,
    stats_every: Annotated[float, typer.Option(min=0.1, help="Seconds between figures.")] = 5.0,
    duration: Annotated[float | None, typer.Option(min=0.0, help="End after so many seconds.")] = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="End after so many calls.")] = None,
    bye: Annotated[bool, typer.Option("--bye/--no-bye", help="Hang up on everybody at the end.")] = True,
    profiles: Annotated[bool, typer.Option("--profiles", help="List the shipped profiles.")] = False,
    numbers: Annotated[bool, typer.Option("--numbers", help="List what each number makes the carrier do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Be a carrier on the wire: SIP over UDP, TCP and TLS."""
    if profiles:
        _list_profiles(as_json=as_json)
        return
    if numbers:
        _list_numbers(as_json=as_json)
        return
    from simulator.wire.server import Plan

    plan = Plan(
        profile=profile, listens=_listens(listen, tcp, tls), seed=seed, media=_media(media), ledger=ledger,
        control=control, host=host, stats_every_s=stats_every, duration_s=duration, max_calls=max_calls, bye=bye,
    )  # fmt: skip
    _serve(plan, _tls_context(plan.listens, certificate, key, client_ca), as_json=as_json)


def _listens(listen: list[str] | None, tcp: list[str] | None, tls: list[str] | None) -> list[Listen]:
    from telephony_adapters.wire.listen import Listen

    texts = [*(listen or ()), *(f"tcp:{place}" for place in tcp or ()), *(f"tls:{place}" for place in tls or ())]
    return [Listen.parse(text) for text in texts or [_DEFAULT_LISTEN]]


def _media(name: str | None) -> MediaMode | None:
    from simulator.wire.profile import MediaMode

    if name is None:
        return None
    found = next((mode for mode in MediaMode if mode == name), None)
    if found is None:
        raise BadInput(f"--media may be {', '.join(MediaMode)}, not {name!r}")
    return found


def _tls_context(
    listens: Sequence[Listen], certificate: Path | None, key: Path | None, client_ca: Path | None
) -> ssl.SSLContext | None:
    if all(listen.transport != "tls" for listen in listens):
        return None
    if certificate is None:
        raise BadInput("--tls needs --certificate FILE.pem, and --key FILE.pem where the key is in a file of its own")
    from telephony_adapters.wire.tls import server_context

    return server_context(certificate, key, client_authorities=client_ca)


def _serve(plan: Plan, tls: ssl.SSLContext | None, *, as_json: bool) -> None:
    """Show a live line on a terminal, else one line of JSON for each snapshot."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from simulator.wire.figures import to_json, to_line
    from telephony_adapters.wire.collecting import collect_seldom
    from telephony_adapters.wire.uvloops import run

    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    collect_seldom()
    if as_json or not out.is_terminal:
        run(_run(plan, tls, lambda snapshot: typer.echo(to_json(snapshot)), _words(err)))
        return
    with Live(console=out, auto_refresh=False, transient=True) as live:
        last = run(_run(plan, tls, lambda now: live.update(Text(to_line(now)), refresh=True), _words(live.console)))
    _words(out)(to_line(last))


def _words(console: Console) -> Callable[[str], None]:
    """Return what prints a text as it is: an IPv6 address is no markup."""
    return lambda text: console.print(text, markup=False, soft_wrap=True)


async def _run(
    plan: Plan, tls: ssl.SSLContext | None, show: Callable[[Snapshot], None], say: Callable[[str], None]
) -> Snapshot:
    from simulator.wire.server import CarrierServer

    server = CarrierServer(plan, show=show, say=say, server_tls=tls)
    _on_signals(server, say)
    last = await server.run()
    show(last)
    return last


def _on_signals(server: CarrierServer, say: Callable[[str], None]) -> None:
    def reload() -> None:
        try:
            server.reload()
            say("the profile was read again")
        except DialerError as error:
            say(f"{error}; the profile in force stays")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, server.stop)
    loop.add_signal_handler(signal.SIGINT, server.stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
    loop.add_signal_handler(signal.SIGUSR1, server.dump)


def _list_profiles(*, as_json: bool) -> None:
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from simulator.wire.profile import load, shipped

    titles = {name: load(name).title for name in shipped()}
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(titles), indent=2).decode())
        return
    table = Table("profile", "what it is")
    for name, title in titles.items():
        table.add_row(name, title)
    Console().print(table)


def _list_numbers(*, as_json: bool) -> None:
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from simulator.wire.ledger import foreseen
    from simulator.wire.numbers import PATTERNS, entries

    rows = [(row.pattern, row.example, row.words, foreseen(row.course).value) for row in entries()]
    if as_json:
        named = [dict(zip(("pattern", "example", "does", "status"), row, strict=True)) for row in rows]
        typer.echo(msgspec.json.format(msgspec.json.encode(named), indent=2).decode())
        return
    short, table = Table("number", "what it does"), Table("number", "example", "what it does", "status")
    for pattern, words in PATTERNS:
        short.add_row(pattern, words)
    for row in rows:
        table.add_row(*row)
    Console().print(short, table)
