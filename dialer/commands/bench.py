"""`dialer bench`: what the machine of the moment says about speed and memory, as ratios within one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands.bench_pacing import pacing_command
from dialer.errors import BadInput

if TYPE_CHECKING:
    from dialer.bench.figures import Result, Step

app = typer.Typer(no_args_is_help=True)
app.command("pacing")(pacing_command)

_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_Repeats = Annotated[int, typer.Option(min=1, help="How often the two are measured side by side; the median counts.")]
_Seed = Annotated[int, typer.Option(help="The simulated world's seed.")]


_Asterisk = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="The root of a system with Asterisk 22; else the one that tests fetch."),
]
_Kafka = Annotated[str, typer.Option(envvar="DIALER_KAFKA", help="HOST:PORT of a broker on which topics may be made.")]


@app.command("engine")
def engine_command(
    agents: Annotated[int, typer.Option(min=1, help="Agents of the simulated campaign.")] = 100,
    hours: Annotated[float, typer.Option(help="Working hours of the simulated day.")] = 8.0,
    seed: _Seed = 7,
    repeats: _Repeats = 3,
    as_json: _Json = False,
) -> None:
    """Play engine and simulator beside a bare heap, and a whole working day."""
    from dialer.bench.engine import bench_engine

    _check("hours", hours)
    _show([lambda step: bench_engine(agents=agents, hours=hours, seed=seed, repeats=repeats, step=step)], as_json)


@app.command("store")
def store_command(
    attempts: Annotated[int, typer.Option(min=1, help="Attempts, each of a lead of its own.")] = 5000,
    batch: Annotated[int, typer.Option(min=1, help="Attempts that begin in one transaction.")] = 250,
    repeats: _Repeats = 3,
    as_json: _Json = False,
) -> None:
    """Commit attempts from begun to settled, with call records, beside the same rows inserted raw."""
    from dialer.bench.store import bench_store

    _show([lambda step: bench_store(attempts=attempts, batch=batch, repeats=repeats, step=step)], as_json)


@app.command("settle")
def settle_command(
    database_url: Annotated[
        str, typer.Option(envvar="DIALER_DATABASE_URL", help="A PostgreSQL server on which databases may be made.")
    ] = "",
    attempts: Annotated[int, typer.Option(min=1, help="Attempts, each of a lead of its own.")] = 5000,
    batch: Annotated[int, typer.Option(min=1, help="Attempts that begin in one transaction.")] = 250,
    repeats: _Repeats = 3,
    as_json: _Json = False,
) -> None:
    """Commit attempts from begun to settled on PostgreSQL, beside pgbench inserting the same rows."""
    if not database_url:
        raise BadInput("--database-url (DIALER_DATABASE_URL) is empty: name a server, postgresql://USER:PW@HOST/NAME")
    from dialer.bench.settle import bench_settle

    def work(step: Step) -> Result:
        return bench_settle(url=database_url, attempts=attempts, batch=batch, repeats=repeats, step=step)

    _show([work], as_json)


@app.command("projector")
def projector_command(
    kafka: _Kafka = "",
    clickhouse_url: Annotated[
        str, typer.Option(envvar="DIALER_CLICKHOUSE_URL", help="A ClickHouse server; without it, the embedded one.")
    ] = "",
    events: Annotated[int, typer.Option(min=1, help="Events in the topic.")] = 400_000,
    repeats: _Repeats = 3,
    passing: Annotated[int, typer.Option(min=0, help="Watch the memory while so many more events pass.")] = 0,
    as_json: _Json = False,
) -> None:
    """Project events from Kafka into ClickHouse, beside bare consuming and bare inserting."""
    _check_kafka(kafka)
    from dialer.bench.projector import bench_projector

    def work(step: Step) -> Result:
        return bench_projector(
            kafka=kafka, clickhouse_url=clickhouse_url, events=events, repeats=repeats, passing=passing, step=step
        )

    _show([work], as_json)


@app.command("relay")
def relay_command(
    kafka: _Kafka = "",
    database_url: Annotated[
        str, typer.Option(help="A PostgreSQL server on which databases may be made; without it, an SQLite file.")
    ] = "",
    events: Annotated[int, typer.Option(min=1, help="Records in the outbox.")] = 200_000,
    repeats: _Repeats = 3,
    as_json: _Json = False,
) -> None:
    """Relay records from the outbox to Kafka, beside aiokafka's own producer sending them."""
    _check_kafka(kafka)
    from dialer.bench.relay import bench_relay

    def work(step: Step) -> Result:
        return bench_relay(kafka=kafka, database_url=database_url, events=events, repeats=repeats, step=step)

    _show([work], as_json)


@app.command("lag")
def lag_command(
    kafka: Annotated[str, typer.Option(envvar="DIALER_KAFKA", help="A broker; without it the outbox is the log.")] = "",
    database_url: Annotated[
        str, typer.Option(help="A PostgreSQL server on which databases may be made; without it, an SQLite file.")
    ] = "",
    clickhouse_url: Annotated[
        str, typer.Option(envvar="DIALER_CLICKHOUSE_URL", help="A ClickHouse server; without it, the embedded one.")
    ] = "",
    rate: Annotated[int, typer.Option(min=10, help="Calls that end a second.")] = 500,
    seconds: Annotated[int, typer.Option(min=2, help="For how long.")] = 30,
    as_json: _Json = False,
) -> None:
    """End calls at a steady rate, and see how long each takes until a query finds its record."""
    from dialer.bench.lag import bench_lag

    def work(step: Step) -> Result:
        return bench_lag(
            kafka=kafka, database_url=database_url, clickhouse_url=clickhouse_url, rate=rate, seconds=seconds, step=step
        )

    _show([work], as_json)


@app.command("import")
def import_command(
    rows: Annotated[int, typer.Option(min=1, help="Rows of the workbook; memory: also 4 times more.")] = 50_000,
    repeats: _Repeats = 3,
    as_json: _Json = False,
) -> None:
    """Import a workbook beside calamine alone: speed and memory."""
    from dialer.bench.importing import bench_import

    _show([lambda step: bench_import(rows=rows, repeats=repeats, step=step)], as_json)


@app.command("views")
def views_command(
    leads: Annotated[int, typer.Option(min=1, help="Leads in all campaigns.")] = 1_000_000,
    per_campaign: Annotated[int, typer.Option(min=1, help="Leads of each campaign.")] = 100_000,
    versions: Annotated[int, typer.Option(min=1, max=100, help="States that each lead has had, none merged.")] = 5,
    questions: Annotated[int, typer.Option(min=1, help="How often each question is asked.")] = 200,
    as_json: _Json = False,
) -> None:
    """Ask the analysts' views for a lead and a funnel, beside bare look-ups."""
    from dialer.bench.views import bench_views

    sizes = {"leads": leads, "per_campaign": per_campaign, "versions": versions, "questions": questions}
    _show([lambda step: bench_views(**sizes, step=step)], as_json)


@app.command("sip")
def sip_command(
    repeats: _Repeats = 3,
    asterisk: _Asterisk = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few calls, one round: whether it works.")] = False,
    as_json: _Json = False,
) -> None:
    """Call over SIP beside SIPp and Asterisk + ARI doing the same calls: processor time a call, rates, percentiles."""
    import msgspec

    from dialer.bench.sip.bench import bench_sip
    from dialer.bench.sip.measure import QUICK, Sizes

    sizes = QUICK if quick else msgspec.structs.replace(Sizes(), repeats=repeats)
    _show([lambda step: bench_sip(sizes=sizes, asterisk=asterisk, step=step)], as_json)


@app.command("asterisk")
def asterisk_command(
    repeats: _Repeats = 3,
    asterisk: _Asterisk = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few calls, one round: whether it works.")] = False,
    as_json: _Json = False,
) -> None:
    """Join people to agents through Asterisk 22: how soon, and calls a second beside a bare ARI loop."""
    import msgspec

    from dialer.bench.switch.bench import QUICK, Sizes, bench_asterisk

    sizes = QUICK if quick else msgspec.structs.replace(Sizes(), repeats=repeats)
    _show([lambda step: bench_asterisk(sizes=sizes, asterisk=asterisk, step=step)], as_json)


@app.command("amd")
def amd_command(
    per_kind: Annotated[int, typer.Option(min=1, max=1000, help="Greetings of each of nine kinds.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the voices, pauses and noises.")] = 7,
    asterisk: _Asterisk = None,
    as_json: _Json = False,
) -> None:
    """Let Asterisk 22 tell machines from people by made greetings: precision, recall, and what it took each for."""
    from dialer.bench.amd.bench import bench_amd

    _show([lambda step: bench_amd(per_kind=per_kind, seed=seed, asterisk=asterisk, step=step)], as_json)


@app.command("idle")
def idle_command(
    seconds: Annotated[float, typer.Option(help="How long the service is watched.")] = 10.0,
    as_json: _Json = False,
) -> None:
    """Watch a service that has nothing to do: memory and processor share."""
    from dialer.bench.idle import bench_idle

    _check("seconds", seconds)
    _show([lambda step: bench_idle(seconds=seconds, step=step)], as_json)


@app.command("all")
def all_command(
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: a first look within a minute or two.")] = False,
    seed: _Seed = 7,
    as_json: _Json = False,
) -> None:
    """Measure everything; one table with the goals."""
    from dialer.bench.engine import bench_engine
    from dialer.bench.idle import bench_idle
    from dialer.bench.importing import bench_import
    from dialer.bench.store import bench_store

    agents, hours, attempts, rows, seconds = (20, 0.5, 1000, 5000, 3.0) if quick else (100, 8.0, 5000, 50_000, 10.0)
    benches: list[Callable[[Step], Result]] = [
        lambda step: bench_engine(agents=agents, hours=hours, seed=seed, repeats=3, step=step),
        lambda step: bench_store(attempts=attempts, batch=250, repeats=3, step=step),
        lambda step: bench_import(rows=rows, repeats=3, step=step),
        lambda step: bench_idle(seconds=seconds, step=step),
    ]
    _show(benches, as_json)


def _check(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise BadInput(f"--{name} must be a positive number, not {value}")


def _check_kafka(kafka: str) -> None:
    if not kafka:
        raise BadInput("--kafka (DIALER_KAFKA) is empty: name a broker on which topics may be made, HOST:PORT")


def _show(benches: Sequence[Callable[[Step], Result]], as_json: bool) -> None:
    """Measure with a progress bar on stderr, which a file or a pipe does not get; then print."""
    import msgspec
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from dialer.bench.figures import to_table

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    results = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("starting", total=len(benches))
        for bench in benches:
            results.append(bench(lambda words: progress.update(bar, description=words)))
            progress.advance(bar)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"results": results}), indent=2).decode())
    else:
        Console().print(to_table(results))
