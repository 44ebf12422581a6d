"""`dialer trunk`: the trunks of the trunks file, one to begin with, whether one works, which one a number takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dialer.commands.context import print_json, settings
from dialer.errors import BadInput

if TYPE_CHECKING:
    from telephony_adapters.trunks.check import Step
    from telephony_adapters.trunks.model import Trunk, TrunksFile
    from telephony_adapters.trunks.routes import Candidate
    from telephony_adapters.trunks.spend import Rate

app = typer.Typer(no_args_is_help=True)
_SHOWN = 3
"""Prefixes in a line of the list; JSON has all."""
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command("list")
def list_trunks(as_json: AsJson = False) -> None:
    """List the trunks, what they serve, carry and may cost; passwords are hidden."""
    from telephony_adapters.trunks.drained import drained

    file, out = trunks_file(), drained(settings().drained_trunks)
    rows = [_row(trunk, file) | {"drained": trunk.name in out} for trunk in file.trunks.values()]
    if as_json:
        print_json(rows)
        return
    table = Table("name", "server", "numbers", "calls", "a day", "account", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            f"{row['name']}{' (drained)' if row['drained'] else ''}", f"{row['transport']}:{row['server']}",
            _few(row["prefixes"]), f"{row['channels']}, {row['cps']:g}/s", row["day"], row["account"],
        )  # fmt: skip
    Console(highlight=False).print(table)


@app.command()
def drain(name: Annotated[str, typer.Argument(help="A trunk of the trunks file.", show_default=False)]) -> None:
    """Let a trunk's calls finish and begin none there, until `resume`; running engines see it within seconds."""
    _drain(name, on=True)


@app.command()
def resume(name: Annotated[str, typer.Argument(help="A trunk that was drained.", show_default=False)]) -> None:
    """Let calls leave by a drained trunk again."""
    _drain(name, on=False)


def _drain(name: str, *, on: bool) -> None:
    from telephony_adapters.trunks.drained import drained, write
    from telephony_adapters.trunks.reading import nearest

    file, path = trunks_file(), settings().drained_trunks
    if name not in file.trunks:
        raise BadInput(f"the trunks file has no trunk {name!r}{nearest(name, file.trunks)}")
    write(path, drained(path) | {name} if on else drained(path) - {name})
    Console(highlight=False).print(f"{name} {'is drained: calls in progress finish' if on else 'takes calls'}")


@app.command()
def example() -> None:
    """Print a trunks file to begin with, each key explained."""
    from telephony_adapters.trunks.example import EXAMPLE

    typer.echo(EXAMPLE, nl=False)


@app.command()
def route(
    number: Annotated[str, typer.Argument(help="A phone number, such as 0900000001.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say which trunk a number takes and why, or why it is not called (exit status 1)."""
    from telephony_adapters.trunks.guard import may_call
    from telephony_adapters.trunks.routes import candidates

    file, e164 = trunks_file(), _e164(number)
    refusal = may_call(e164, file.numbers)
    found = candidates(file.trunks.values(), e164.removeprefix("+")) if refusal is None else []
    words = refusal.words() if refusal is not None else "" if found else "no trunk serves it"
    trunks = [_candidate(one, e164.removeprefix("+"), file) for one in found]
    if as_json:
        print_json({"number": e164, "reason": refusal and refusal.reason, "refused": words or None, "trunks": trunks})
    else:
        _say_route(e164, words, trunks)
    if words:
        raise typer.Exit(1)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="A trunk of the trunks file.", show_default=False)],
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, max=60, help="Seconds for each thing tried.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Try a trunk: its name, connection, certificate and password; say what to change (exit status 1).

    Nobody is called, nothing is registered.
    """
    import asyncio

    from telephony_adapters.trunks.check import Level

    file = trunks_file(with_secrets=True)
    if name not in file.trunks:
        raise BadInput(f"there is no trunk {name!r}{nearest_of(name, file)}; `dialer trunk list` shows them")
    steps = asyncio.run(_tried(file, name, timeout_s, shows=not as_json))
    if as_json:
        print_json([step._asdict() for step in steps])
    if any(step.level is Level.FAILED for step in steps):
        raise typer.Exit(1)


async def _tried(file: TrunksFile, name: str, timeout_s: float, *, shows: bool) -> list[Step]:
    """Show each step when it is known: some take seconds."""
    from dialer.clock import SystemClock
    from telephony_adapters.trunks.check import check as tried

    steps = []
    async for step in tried(file, name, clock=SystemClock(), timeout_s=timeout_s):
        steps.append(step)
        if shows:
            typer.echo(f"{step.level:6}  {step.what} {step.where}: {step.words}")
    return steps


def nearest_of(name: str, file: TrunksFile) -> str:
    """Return what to say of a trunk that the name may have meant."""
    from telephony_adapters.trunks.reading import nearest

    return nearest(name, tuple(file.trunks))


def trunks_file(*, with_secrets: bool = False) -> TrunksFile:
    """Read the trunks file in force, by default without its passwords; BadInput: there is none, or it is wrong."""
    from telephony_adapters.trunks.config import load

    chosen = settings()
    path = chosen.trunks_file
    if path is None:
        raise BadInput(
            f"there is no trunks file: begin with `dialer trunk example > {chosen.home / 'trunks.toml'}`, "
            "or name one with DIALER_TRUNKS"
        )
    return load(path, with_secrets=with_secrets)


def _row(trunk: Trunk, file: TrunksFile) -> dict[str, Any]:
    day = [f"{trunk.max_minutes_day} min"] if trunk.max_minutes_day else []
    day += [f"{_money(trunk.max_cost_day)} {file.spend.currency}"] if trunk.max_cost_day else []
    return {
        "name": trunk.name,
        "server": str(trunk.server),
        "transport": trunk.transport,
        "prefixes": list(trunk.prefixes),
        "channels": trunk.channels,
        "cps": trunk.cps,
        "priority": trunk.priority,
        "weight": trunk.weight,
        "day": ", ".join(day) or "no cap",
        "account": _account(trunk),
        "caller_id": trunk.caller_id,
        "number_format": trunk.number_format,
        "rates": {prefix: _rate(rate, file) for prefix, rate in trunk.rates.items()},
    }


def _account(trunk: Trunk) -> str:
    if not trunk.username:
        return "none"
    password = trunk.password_file or (f"${trunk.password_env}" if trunk.password_env else "***")
    return f"{trunk.username} / {password}{', registers' if trunk.register else ''}"


def _few(prefixes: list[str]) -> str:
    """Return a few of the prefixes, and how many more there are."""
    shown = ", ".join(prefix or "any" for prefix in prefixes[:_SHOWN])
    return f"{shown} and {len(prefixes) - _SHOWN} more" if len(prefixes) > _SHOWN else shown


def _money(micro: int) -> str:
    from telephony_adapters.trunks.spend import MICRO

    whole, rest = divmod(micro, MICRO)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _rate(rate: Rate, file: TrunksFile) -> str:
    return f"{_money(rate.per_minute)} {file.spend.currency} a minute, {rate.first_s}/{rate.next_s}"


def _candidate(one: Candidate, digits: str, file: TrunksFile) -> dict[str, Any]:
    from telephony_adapters.sip.identity import number_uri
    from telephony_adapters.trunks.routes import dialled

    return {
        "trunk": one.trunk.name,
        "prefix": one.prefix,
        "priority": one.trunk.priority,
        "share": round(one.share, 3),
        "leaves_as": number_uri(dialled(one.trunk, digits), one.trunk.uri_host, one.trunk.uri_port),
        "rate": _rate(one.trunk.rate_of(digits), file) if one.trunk.rates else None,
    }


def _say_route(e164: str, refused: str, trunks: list[dict[str, Any]]) -> None:
    if refused:
        typer.echo(f"{e164} is not called: {refused}")
        return
    typer.echo(f"{e164} takes the first of these that is up and has room:")
    for number, one in enumerate(trunks, 1):
        why = f"prefix {one['prefix']}" if one["prefix"] else "any number"
        share = "" if one["share"] == 1 else f", {one['share']:.0%} of the calls of its rank"
        rate = f", {one['rate']}" if one["rate"] else ""
        typer.echo(f"{number}. {one['trunk']}: {why}, priority {one['priority']}{share}; {one['leaves_as']}{rate}")


def _e164(number: str) -> str:
    """Return what a person typed as E.164; what is no number that anybody has is left to the rules to refuse."""
    from crm.numbers import BadPhone, parse_phone

    found = parse_phone(number, migrate_2018=True)
    return "+" + number.strip().removeprefix("+") if isinstance(found, BadPhone) else found.e164
