"""`dialer adapters`: what each telephony adapter can do, and whether one passes the numbered cards."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dialer.commands.context import print_json, settings
from dialer.errors import BadInput

if TYPE_CHECKING:
    from dialer.ports import Capabilities
    from telephony_adapters.conformance import Card, Outcome

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Numbers = Annotated[list[int] | None, typer.Option("--card", help="Only this card; may be repeated.")]


def declared() -> dict[str, Capabilities]:
    """Return what each registered adapter declares, by name."""
    from dialer.commands.live import Plan, adapters

    return adapters(Plan(settings())).capabilities()


@app.command("list")
def list_adapters(
    cards: Annotated[bool, typer.Option("--cards", help="Every card, and who passes or skips it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what each adapter can do; DIALER_TRUNK chooses one. What it cannot, it skips: the cards of that line."""
    from telephony_adapters.conformance import CARDS

    known = declared()
    if as_json:
        print_json([_described(name, can) for name, can in known.items()])
        return
    console = Console(highlight=False)
    console.print(_cards(CARDS, known) if cards else _matrix(known))


def _described(name: str, can: Capabilities) -> dict[str, Any]:
    import msgspec

    from telephony_adapters.conformance import CARDS, Mark, mark

    skipped = [card.number for card in CARDS if mark(card, can) is Mark.SKIPPED]
    return {
        "name": name,
        "capabilities": msgspec.to_builtins(can),
        "cards": {"passed": len(CARDS) - len(skipped), "skipped": skipped},
    }


def _matrix(known: dict[str, Capabilities]) -> Table:
    from telephony_adapters.conformance import needing, tally

    table = Table("capability", *known, "cards", box=None, pad_edge=False)
    for name, numbers in needing().items():
        cells = ["yes" if getattr(can, name) else "skipped" if numbers else "no" for can in known.values()]
        table.add_row(name, *cells, numbers)
    tallies = [tally(can) for can in known.values()]
    table.add_row("cards", *(f"{passed}, {skipped} skipped" for passed, skipped in tallies))
    return table


def _cards(cards: Sequence[Card], known: dict[str, Capabilities]) -> Table:
    from telephony_adapters.conformance import mark

    table = Table("card", "what it asks", "needs", *known, box=None, pad_edge=False)
    for card in cards:
        marks = (mark(card, can).value for can in known.values())
        table.add_row(str(card.number), card.title, card.needs or "", *marks)
    return table


@app.command()
def check(
    target: Annotated[
        str,
        typer.Argument(
            metavar="simulator|PACKAGE.MODULE:STAGE",
            help="The simulated trunk, or what makes a stage around an adapter of your own (docs/adapters.md).",
            show_default=False,
        ),
    ],
    card: Numbers = None,
    as_json: AsJson = False,
) -> None:
    """Run the numbered cards on an adapter, each on a stage of its own; exit status 1 when one fails."""
    from telephony_adapters.conformance import CARDS

    chosen = [one for one in CARDS if not card or one.number in card]
    if card and (unknown := set(card) - {one.number for one in chosen}):
        raise BadInput(f"there is no card {min(unknown)}; `dialer adapters list --cards` lists them")
    outcomes = asyncio.run(_run(chosen, _maker(target)))
    if as_json:
        import msgspec

        print_json([msgspec.to_builtins(outcome) for outcome in outcomes])
    else:
        _show(outcomes)
    if any(outcome.mark == "failed" for outcome in outcomes):
        raise typer.Exit(1)


async def _run(cards: Sequence[Card], make: Callable[[], Any]) -> list[Outcome]:
    from telephony_adapters.conformance import Stage, run

    outcomes = []
    for card in cards:
        async with AsyncExitStack() as stack:
            made = make()
            stage = await stack.enter_async_context(made) if hasattr(made, "__aenter__") else made
            if not isinstance(stage, Stage):
                raise BadInput(f"{type(stage).__name__} is no stage; docs/adapters.md says what one has")
            outcomes.append(await run(card, stage))
    return outcomes


def _maker(target: str) -> Callable[[], Any]:
    if target == "simulator":
        from simulator.stage import SimulatorStage

        return SimulatorStage
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise BadInput(f"{target!r} names no stage; write simulator, or PACKAGE.MODULE:STAGE")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(
            f"{target!r}: {error}; name a module that can be imported from here, and what it holds"
        ) from error
    if not callable(found):
        raise BadInput(f"{target!r} cannot be called; name what makes a stage")
    return found  # type: ignore[no-any-return]  # it was asked whether it can be called


def _show(outcomes: Sequence[Outcome]) -> None:
    table = Table("card", "what it asks", "", "why", box=None, pad_edge=False)
    for one in outcomes:
        table.add_row(str(one.number), one.title, one.mark.value, one.why)
    console = Console(highlight=False)
    console.print(table)
    marks = [one.mark.value for one in outcomes]
    console.print(", ".join(f"{marks.count(mark)} {mark}" for mark in ("passed", "skipped", "failed")))
