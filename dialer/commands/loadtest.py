"""`dialer loadtest`: real calls at a steady rate through a trunk, and what became of them."""

from __future__ import annotations

import asyncio
import math
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dialer.errors import BadInput, ResourceBusy

if TYPE_CHECKING:
    from dialer.bench.load import Load, Loader
    from dialer.bench.load_report import Report
    from telephony_adapters.trunks.model import Trunk
    from telephony_adapters.trunks.setup import Plant

SAMPLE: Final = "+84900000001"
"""Nobody's number, for a target that is no carrier."""
SAMPLE_HOTLINE: Final = "+84240000000"
_NUMBER: Final = re.compile(r"\+?[0-9]{1,32}")
_RATE_MAX: Final = 10_000.0
_DAY_S: Final = 86_400.0
_SHOW_EVERY_S: Final = 0.25
_STOPPED: Final = 130


def loadtest(
    trunk: Annotated[str, typer.Option(metavar="NAME", help="A trunk of the trunks file.")] = "",
    to: Annotated[
        str, typer.Option(metavar="udp:HOST:PORT", help="A server (udp, tcp, tls) instead of a trunk: for developers.")
    ] = "",
    rate: Annotated[float, typer.Option(help="Calls a second, whatever becomes of the earlier ones.")] = 10.0,
    duration: Annotated[float, typer.Option(help="For so many seconds.")] = 60.0,
    number: Annotated[list[str] | None, typer.Option(help="Who is called; may be repeated: then in turn.")] = None,
    numbers: Annotated[Path | None, typer.Option(metavar="FILE", help="More of them, one a line.")] = None,
    hotline: Annotated[str, typer.Option(help="The caller's number; empty: the trunk's user name.")] = "",
    hold: Annotated[float, typer.Option(min=0.0, help="Seconds from the answer to our BYE.")] = 5.0,
    ring: Annotated[float, typer.Option(min=0.1, help="Cancel after so many seconds without an answer.")] = 60.0,
    max_live: Annotated[
        int | None, typer.Option(min=1, help="Begin no call while so many are up; else the trunk's channels decide.")
    ] = None,
    poisson: Annotated[bool, typer.Option("--poisson", help="Begin calls as people would, not evenly.")] = False,
    seed: Annotated[int, typer.Option(help="For --poisson: the same seed, the same moments.")] = 7,
    ca: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="--to tls: who signs its certificate.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Place real calls: through a trunk, or a public server.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Load a trunk with real calls, at a rate that no answer slows down; percentiles, codes, processor time.

    The trunk's own caps hold, and so do the rules about numbers: calls that they refuse are counted, not sent. The
    dialer must not run on the same trunks file meanwhile. Ctrl-C ends all calls and shows what was measured.
    """
    from dialer.bench.load import NO_LIMIT, Load

    _check("rate", rate, _RATE_MAX)
    _check("duration", duration, _DAY_S)
    plant, journal = _plant(trunk, to, ca)
    settings = plant.lines[0].settings
    load = Load(
        trunk=settings.name, numbers=_numbers(number or [], numbers, sample=bool(to)),
        hotline=_hotline(hotline, settings, sample=bool(to)), rate=rate, duration_s=duration,
        poisson=poisson, seed=seed, hold_s=hold, ring_s=ring,
        max_live=max_live or NO_LIMIT, drain_s=hold + 1.0,
    )  # fmt: skip
    with _alone(of_trunk=journal is not None):
        report = _run(plant, journal, load, yes=yes)
    _show(report, as_json=as_json)
    if report.interrupted:
        raise typer.Exit(_STOPPED)


# --- what is asked for ------------------------------------------------------------------------------------------------


def _check(name: str, value: float, most: float) -> None:
    if not (math.isfinite(value) and 0 < value <= most):
        raise BadInput(f"--{name} must be a number above 0, at most {most:g}, not {value}")


def _plant(trunk: str, to: str, ca: Path | None) -> tuple[Plant, Path | None]:
    """Return the adapter's parts for one trunk, and where its journal is."""
    from dialer.commands.context import settings
    from dialer.commands.sip import JOURNAL, open_plant

    if bool(trunk) == bool(to):
        raise BadInput("name what is loaded: either --trunk NAME, or --to udp:HOST:PORT")
    if to:
        import secrets

        from dialer.bench.load_trunk import trunk_to
        from telephony_adapters.trunks.setup import Plant

        return Plant(trunk_to(to, authorities=ca), key=secrets.token_bytes(32)), None
    if ca is not None:
        raise BadInput("--ca goes with --to tls:HOST:PORT; a trunk's authorities are its tls_ca in the trunks file")
    chosen = settings()
    plant = open_plant(chosen, only=trunk)
    return plant, plant.file.sip.journal or chosen.home / JOURNAL  # the dialer's own: one of the two runs


@contextmanager
def _alone(*, of_trunk: bool) -> Iterator[None]:
    """Keep the dialer away from the trunks while they are loaded: both count on the day's caps in one file.

    Raises ResourceBusy when it runs.
    """
    from dialer.commands.context import settings
    from dialer.home import CONSOLE, ENGINE, Home

    if not of_trunk:
        yield
        return
    home = Home(settings().home)
    try:
        home.refuse_if_running((CONSOLE, ENGINE))
    except ResourceBusy as error:
        raise ResourceBusy(
            f"a trunk is not loaded while the dialer calls over it, for both count the day's caps: {error}"
        ) from error
    with home.claimed("a load test", (ENGINE,)):
        yield


def _numbers(given: list[str], file: Path | None, *, sample: bool) -> tuple[str, ...]:
    from crm.numbers import BadPhone, parse_phone
    from dialer.commands.overrides import read_text

    places = [(text, "--number") for text in given]
    if file is not None:
        lines = enumerate(read_text(file).splitlines(), 1)
        places += [(line.strip(), f"{file}, line {at}") for at, line in lines if line.strip()]
    if not places and not sample:
        raise BadInput("nobody to call: give --number NUMBER, or --numbers FILE with one a line")
    found = []
    for text, where in places or [(SAMPLE, "")]:
        phone = parse_phone(text, migrate_2018=True)
        if isinstance(phone, BadPhone) and not _is_simulated(text):
            raise BadInput(f"{where}: {text!r} is no phone number")
        found.append(f"+84{text[1:]}" if isinstance(phone, BadPhone) else phone.e164)
    return tuple(found)


def _is_simulated(text: str) -> bool:
    """Tell the numbers of the carrier simulator, which nobody has and no numbering plan knows."""
    return len(text) == len("0955486500") and text.startswith("095") and text.isdecimal()


def _hotline(given: str, trunk: Trunk, *, sample: bool) -> str:
    if given and not _NUMBER.fullmatch(given):
        raise BadInput(f"--hotline {given!r} is no number: 1 to 32 digits, after a + if it is international")
    found = given or (SAMPLE_HOTLINE if sample else trunk.username)
    if not _NUMBER.fullmatch(found):
        raise BadInput("whose call is it? Give the caller's number with --hotline: the trunk's user name is none")
    return found


# --- the test itself --------------------------------------------------------------------------------------------------


def _run(plant: Plant, journal: Path | None, load: Load, *, yes: bool) -> Report:
    from rich.console import Console

    from dialer.bench.load_report import report_of
    from telephony_adapters.wire.collecting import collect_seldom
    from telephony_adapters.wire.uvloops import run

    trunk = plant.lines[0].settings
    err = Console(stderr=True, highlight=False)
    calls = int(load.rate * load.duration_s)
    words = f"{calls:,} real calls in {load.duration_s:g} s to {len(load.numbers):,} number(s) through {trunk.name}"
    err.print(f"loadtest places {words} ({trunk.transport}:{trunk.server})", markup=False, soft_wrap=True)
    collect_seldom()
    loader = run(_measured(plant, journal, load, yes=yes))
    return report_of(load, loader.seen, server=str(trunk.server), transport=trunk.transport)


async def _refuse_real_calls(plant: Plant, *, is_trunk: bool) -> None:
    """Raise BadInput unless nobody is rung: the server is the carrier simulator, or a developer's with --to."""
    from dialer.bench.load_trunk import is_near, is_simulated
    from dialer.clock import SystemClock

    trunk = plant.lines[0].settings
    if is_trunk and not await is_simulated(plant.file, trunk.name, SystemClock()):
        what = f"trunk {trunk.name} ({trunk.server}) does not say that it is `dialer carrier`"
    elif not is_trunk and not await is_near(trunk):
        what = f"{trunk.server} is a public server"
    else:
        return
    raise BadInput(f"{what}: these are real calls, they ring real phones and may cost money; add --yes to place them")


async def _measured(plant: Plant, journal: Path | None, load: Load, *, yes: bool) -> Loader:
    """Place the calls; raise BadInput first for real ones that nobody said yes to."""
    from dialer.bench.load_trunk import loader
    from dialer.clock import SystemClock
    from telephony_adapters.trunks.journal import Journal

    if not yes:
        await _refuse_real_calls(plant, is_trunk=journal is not None)
    async with loader(plant, load, SystemClock(), Journal(journal) if journal else None) as found:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, found.stop)
        showing = asyncio.create_task(_show_progress(found, load))
        try:
            await found.run()
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(name)
    return found


async def _show_progress(loader: Loader, load: Load) -> None:
    """Show a bar on stderr, which a file or a pipe does not get; it is drawn by a thread of its own."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    if not console.is_terminal:
        return
    with Progress(*columns, console=console, transient=True, refresh_per_second=1 / _SHOW_EVERY_S) as progress:
        bar = progress.add_task("", total=load.rate * load.duration_s)
        while True:
            seen = loader.seen
            words = f"{seen.placed:,} placed, {seen.answered:,} answered, {loader.live:,} live"
            refused = seen.refused_here.total()
            words += f", {refused:,} refused here" if refused else ""
            progress.update(bar, completed=seen.due, description=words)
            await asyncio.sleep(_SHOW_EVERY_S)


def _show(report: Report, *, as_json: bool) -> None:
    import msgspec
    from rich.console import Console

    from dialer.bench.load_report import to_table

    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        Console(highlight=False).print(to_table(report))
    sys.stdout.flush()
