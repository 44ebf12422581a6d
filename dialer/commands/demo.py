"""`dialer demo`: a campaign of generated leads, dialed over the carrier simulator with simulated agents."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dialer.commands.context import choose, chosen_home, open_store
from dialer.commands.context import settings as chosen_settings
from dialer.commands.overrides import read_overrides

if TYPE_CHECKING:
    from dialer.app import Dialer, Outcome
    from dialer.config import Settings
    from dialer.core.types import CampaignSettings
    from statuses.classify import Override

DEMO_HOME = Path("demo-data")
LOOK_S = 0.5
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def demo(
    speed: Annotated[
        float, typer.Option(min=1.0, max=300.0, help="How many times faster than the wall's the demo's clock runs.")
    ] = 5.0,
    agents: Annotated[int, typer.Option(min=1, max=500, help="Simulated agents.")] = 20,
    leads: Annotated[int | None, typer.Option(min=1, help="Import only so many rows of the sample workbook.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of callees and agents.")] = 7,
    port: Annotated[int | None, typer.Option(help="The console's port (8080); 0 = any free one.")] = None,
    callers: Annotated[
        float, typer.Option(min=0, max=10_000, help="People who call the hotlines in an hour; a fresh demo takes them.")
    ] = 0.0,
    record: Annotated[bool, typer.Option("--record", help="Record the talks of a fresh demo: a tone each.")] = False,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End by itself when no lead is left to dial.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="No console in the browser; progress in the terminal.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier demo in the same folder.")] = False,
    carrier_log: Annotated[
        Path | None, typer.Option(help="Append each INVITE that the simulated carrier sees: time, call id, number.")
    ] = None,
    overrides: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Per-trunk override table (DIALER_OVERRIDES).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Import the sample workbook, dial it with simulated agents, and show it in the browser.

    Nobody is called: the trunk is the carrier simulator. Killed and started again, it goes on where it stopped.
    """
    # Whatever trunk this installation uses, a demo calls nobody.
    settings = chosen_settings(port=port, home=chosen_home() or DEMO_HOME, overrides=overrides, trunk="simulator")
    table = read_overrides(settings.overrides)
    if fresh:
        _forget(settings)
    asyncio.run(
        _demo(
            settings,
            speed=speed,
            agents=agents,
            leads=leads,
            seed=seed,
            callers=callers,
            record=record,
            until_done=until_done,
            headless=headless,
            as_json=json,
            carrier_log=carrier_log,
            overrides=table,
        )
    )


def _forget(settings: Settings) -> None:
    from dialer.commands.live import data_files
    from dialer.home import Home

    Home(settings.home).prepare()
    Home(settings.home).refuse_if_running()
    with _analytics_owned(settings):
        for path in data_files(settings.home):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextlib.contextmanager
def _analytics_owned(settings: Settings) -> Iterator[None]:
    """Hold the call records' folder, so that nothing is changed beside a process that has them open."""
    from cdr.folder_lock import FolderLock

    lock = FolderLock(settings.analytics_path.resolve())
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


async def _demo(
    settings: Settings,
    *,
    speed: float,
    agents: int,
    leads: int | None,
    seed: int,
    callers: float,
    record: bool,
    until_done: bool,
    headless: bool,
    as_json: bool,
    carrier_log: Path | None,
    overrides: tuple[Override, ...],
) -> None:
    from dialer.commands.demo_report import build, show
    from dialer.commands.demo_setup import demo_people, demo_settings
    from dialer.commands.live import Plan, live, say_drained
    from dialer.home import Home
    from dialer.service.server import listen
    from web.auth import make_login_token

    choose(home=settings.home)
    Home(settings.home).prepare()
    Home(settings.home).refuse_if_running()
    sock = None if headless else listen(settings.host, settings.port)
    with _analytics_owned(settings):
        campaign = demo_settings(until_done=until_done, inbound=callers > 0, record=record)
        campaign_id = await _prepare(settings, campaign, leads=leads)
    carrier, desk = demo_people(agents, callers)
    plan = Plan(
        settings,
        {campaign_id: desk},
        carrier,
        seed=seed,
        speed=speed,
        sock=sock,
        carrier_log=carrier_log,
        overrides=overrides,
    )

    async def begin(dialer: Dialer, url: str | None) -> None:
        if url is not None:
            token = make_login_token(
                Home(settings.home).secrets().session, now=dialer.clock.now(), ttl_s=3600.0 * speed
            )
            out.print(f"\n[bold]{url}/login?token={token}[/]  signs you in, once", soft_wrap=True)
        out.print(f"{agents} simulated agents, clock x {speed:g}; Ctrl-C once to let calls finish, twice to cut")

    async def watch(dialer: Dialer, stop: asyncio.Event) -> None:
        await _watch(dialer, campaign_id, stop, until_done=until_done, bar=headless)

    async def end(dialer: Dialer, outcome: Outcome) -> None:
        say_drained(outcome)
        show(await build(dialer, campaign_id, outcome), as_json=as_json)

    await live(plan, begin=begin, watch=watch, end=end)


async def _prepare(settings: Settings, campaign: CampaignSettings, *, leads: int | None) -> int:
    from dialer.commands.demo_setup import prepare

    async with open_store() as store:
        return await prepare(store.engine, campaign, now=store.now(), home=settings.home, leads=leads)


async def _watch(dialer: Dialer, campaign_id: int, stop: asyncio.Event, *, until_done: bool, bar: bool) -> None:
    from dialer.commands.demo_setup import progress_of

    columns = (
        TextColumn("leads done"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[live]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not bar, transient=True) as shown:
        task = shown.add_task("leads", total=None, live="")
        while not stop.is_set():
            now = await progress_of(dialer, campaign_id)
            shown.update(task, total=now.total, completed=now.done, live=now.text)
            if until_done and now.ended:
                stop.set()
            await asyncio.sleep(LOOK_S)
