"""The published AsyncAPI document is the one that the models make."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import yaml

from dialer.agents import messages as m
from dialer.agents.asyncapi import COMMANDS, document

PAGE = Path(__file__).resolve().parents[3] / "docs" / "agents.asyncapi.yaml"


def test_the_published_document_is_that_of_the_models() -> None:
    made = document()
    assert yaml.safe_load(PAGE.read_text(encoding="utf-8")) == made, (
        "write it again: python -m tools.asyncapi > docs/agents.asyncapi.yaml"
    )


def test_every_reference_leads_somewhere_and_every_command_is_in_it() -> None:
    made = document()

    def follow(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(ref := value.get("$ref"), str):
                target: object = made
                for part in ref.removeprefix("#/").split("/"):
                    assert isinstance(target, dict)
                    target = target[part]
            for one in value.values():
                follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(made)
    assert set(get_args(get_args(m.AnyCommand)[0])) == set(COMMANDS)
    assert made["channels"]["command"]["address"] == "dialer/agents/{agent}/command"
