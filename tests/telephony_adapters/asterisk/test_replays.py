from __future__ import annotations

from pathlib import Path

import pytest

from tests.telephony_adapters.asterisk.recorder import FOLDER, SCENES, replay


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_a_real_asterisk_said_leads_to_the_same_requests_and_facts(path: Path) -> None:
    steps = list(replay(path))
    assert len(steps) > 5
    for recorded, now in steps:
        assert recorded == now


def test_each_scene_is_recorded() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == {scene.__name__ for scene in SCENES}
