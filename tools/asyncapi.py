"""Print the AsyncAPI document of agents' desks: `python -m tools.asyncapi > docs/agents.asyncapi.yaml`."""

from __future__ import annotations

import yaml

from dialer.agents.asyncapi import document

if __name__ == "__main__":
    print("# Made of dialer/agents/messages.py: python -m tools.asyncapi > docs/agents.asyncapi.yaml")
    print(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120), end="")
