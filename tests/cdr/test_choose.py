from __future__ import annotations

from pathlib import Path

import pytest

from cdr.choose import open_analytics


@pytest.mark.component("chdb")
async def test_without_an_address_it_is_the_folder(tmp_path: Path) -> None:
    analytics = await open_analytics(tmp_path / "a")
    assert analytics.where == str(tmp_path / "a")
    await analytics.close()
    assert (tmp_path / "a" / "owner.lock").exists()


async def test_with_an_address_it_is_the_server(tmp_path: Path, clickhouse_url: str) -> None:
    analytics = await open_analytics(tmp_path / "a", url=clickhouse_url)
    assert analytics.where.startswith("ClickHouse at http://")
    await analytics.close()
    assert not (tmp_path / "a").exists()
