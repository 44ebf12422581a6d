"""Every query of the dashboard runs on the views, every column that it names is there, every panel shows something."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cdr.adhoc import Table, ask
from cdr.clickhouse import Analytics, open_chdb
from cdr.encode import lead_changed
from cdr.memory import MemoryOffsetLedger
from cdr.projector import Projector
from tests.cdr.samples import CAMPAIGN, START, change, log_of
from tests.cdr.test_views import documented

GRAFANA: Final = Path(__file__).resolve().parents[2] / "deploy" / "grafana"
BOARD: Final[dict[str, Any]] = json.loads((GRAFANA / "dialer.json").read_text(encoding="utf-8"))
PANELS: Final[list[dict[str, Any]]] = BOARD["panels"]
FROM, TO = int(START) - 3_600, int(START) + 3_600
MACROS: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (r"\$__timeFilter\((\w+)\)", lambda m: f"{m[1]} >= toDateTime({FROM}) AND {m[1]} <= toDateTime({TO})"),
    (r"\$__timeInterval\((\w+)\)", lambda m: f"toStartOfInterval(toDateTime({m[1]}), INTERVAL 60 second)"),
    (r"\$\{campaign:sqlstring\}", lambda _: f"'{CAMPAIGN.name}','Another'"),
)
"""As the plugin grafana-clickhouse-datasource writes them out."""


def expanded(sql: str) -> str:
    for pattern, text in MACROS:
        sql = re.sub(pattern, text, sql)
    return sql


def queries(panel: dict[str, Any]) -> list[str]:
    return [target["rawSql"] for target in panel["targets"]]


ALL: Final = {panel["title"]: panel for panel in PANELS}
VARIABLES: Final = {variable["name"]: variable["query"] for variable in BOARD["templating"]["list"]}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analytics]:
    async def stored() -> Analytics:
        analytics = await open_chdb(tmp_path_factory.mktemp("grafana") / "analytics")
        log = log_of(9)
        appointed = lead_changed(change(20, 1, "callback", callback_at=START + 900), CAMPAIGN)
        log.append(appointed.key, appointed.value)
        projector = Projector(log, MemoryOffsetLedger(), analytics)
        while await projector.run_once():
            pass
        return analytics

    analytics = asyncio.run(stored())
    yield analytics
    asyncio.run(analytics.close())


async def answers(analytics: Analytics, panel: dict[str, Any]) -> list[Table]:
    """Ask as a read-only user."""
    return [await ask(analytics, expanded(sql)) for sql in queries(panel)]


@pytest.mark.component("chdb")
@pytest.mark.parametrize("title", ALL)
async def test_each_panel_shows_the_sample_calls(calls: Analytics, title: str) -> None:
    for table in await answers(calls, ALL[title]):
        assert table.rows
        assert any(cell is not None for row in table.rows for cell in row)


@pytest.mark.component("chdb")
@pytest.mark.parametrize("title", ALL)
async def test_each_column_that_a_panel_names_is_there(calls: Analytics, title: str) -> None:
    panel = ALL[title]
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    named |= {panel["options"][key] for key in ("xField",) if key in panel["options"]}
    columns = {column for table in await answers(calls, panel) for column in table.columns}
    assert named <= columns
    if panel["type"] == "timeseries":
        assert all(
            table.columns[0] == "time" and table.types[0].startswith("DateTime")
            for table in await answers(calls, panel)
        )


@pytest.mark.component("chdb")
@pytest.mark.parametrize("name", VARIABLES)
async def test_each_choice_offers_what_there_is(calls: Analytics, name: str) -> None:
    assert (await ask(calls, expanded(VARIABLES[name]))).rows == [[CAMPAIGN.name]]


@pytest.mark.component("chdb")
async def test_the_figures_are_those_of_the_sample(calls: Analytics) -> None:
    found = {}
    for title in ("Calls", "Answer-seizure ratio", "Abandoned", "Average handle time", "Talk", "Leads"):
        (table,) = await answers(calls, ALL[title])
        found[title] = table.rows
    assert found == {
        "Calls": [[9]], "Answer-seizure ratio": [[5 / 9]], "Abandoned": [[0.0]], "Average handle time": [[41.0]],
        "Talk": [[145.0]], "Leads": [[10]],
    }  # fmt: skip


@pytest.mark.parametrize("sql", [*VARIABLES.values(), *(sql for panel in PANELS for sql in queries(panel))])
def test_only_the_documented_views_are_read_and_every_macro_is_known(sql: str) -> None:
    sources = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", sql))
    assert sources
    assert sources <= documented().keys()
    assert "$" not in expanded(sql)


def test_every_view_is_on_the_board() -> None:
    text = " ".join(sql for panel in PANELS for sql in queries(panel))
    assert {view for view in documented() if view not in text} == set()


def test_no_whole_number_is_on_the_board() -> None:
    for panel in PANELS:
        for sql in queries(panel):
            assert "phone_e164" not in sql.replace("concat('*****', right(phone_e164, 5)) AS phone", "")


def test_panels_do_not_overlap_and_have_their_own_id() -> None:
    cells = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_the_board_and_its_data_source_are_provisioned() -> None:
    folder = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "clickhouse.yml").read_text(encoding="utf-8"))["datasources"]
    used = [place["datasource"] for panel in PANELS for place in (panel, *panel["targets"])]
    used += [variable["datasource"] for variable in BOARD["templating"]["list"]]
    assert {(one["type"], one["uid"]) for one in used} == {(source["type"], source["uid"])}
    (provider,) = yaml.safe_load((folder / "dashboards" / "dialer.yml").read_text(encoding="utf-8"))["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", "/etc/grafana/dashboards")
