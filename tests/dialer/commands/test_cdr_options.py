from __future__ import annotations

from pathlib import Path

import pytest

from dialer.commands.cdr_options import check_campaign
from dialer.errors import BadInput
from tests.cdr.samples import CAMPAIGN
from tests.dialer.commands.cdr_world import make_world

pytestmark = pytest.mark.component("chdb", "sqlite")


async def test_a_campaign_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))
    await make_world(tmp_path)
    await check_campaign(None)
    await check_campaign(CAMPAIGN.name)
    with pytest.raises(BadInput, match=f"no such campaign; known: {CAMPAIGN.name}"):
        await check_campaign("Nope")
