"""The AsyncAPI 3 document of agents' desks, made of the models (docs/agents.asyncapi.yaml; a test compares)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dialer.agents import messages as m
from dialer.agents.topics import ROOT, Leaf

COMMANDS: Final = (
    m.SignIn, m.SignOut, m.Ready, m.Pause, m.Accept, m.Reject, m.WrapUp, m.HangUp, m.Hold, m.Transfer, m.Dial,
)  # fmt: skip
SAID: Final[dict[Leaf, tuple[type[BaseModel], ...]]] = {
    Leaf.PRESENCE: (m.Presence,),
    Leaf.COMMAND: COMMANDS,
    Leaf.SUPERVISE: (m.Supervise,),
    Leaf.OFFER: (m.Offer,),
    Leaf.STATE: (m.State,),
}
WHAT: Final = {
    Leaf.PRESENCE: "Retained, QoS 1. The agent's desk says that it is there; its last will, that it is gone.",
    Leaf.COMMAND: "Not retained, QoS 1. What the agent does; the answer is in the state.",
    Leaf.SUPERVISE: "Not retained, QoS 1. For supervisors: into, or out of, an agent's talk.",
    Leaf.OFFER: "Not retained, QoS 1. A call or a lead is offered, or no longer; a wish is refused.",
    Leaf.STATE: "Retained, QoS 1. What the dialer takes the agent to be doing.",
}
_ACTIONS: Final = {"tell": "send", "hear": "receive"}
_REF: Final = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """Return the document."""
    models = [model for group in SAID.values() for model in group]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Agents' desks",
            "version": f"{m.VERSION}.0.0",
            "description": "What desks and the dialer say to each other over MQTT 3.1.1; docs/agents.md says how.",
        },
        "defaultContentType": "application/json",
        "servers": {"broker": {"host": "127.0.0.1:1883", "protocol": "mqtt", "protocolVersion": "3.1.1"}},
        "channels": {leaf.value: _channel(leaf) for leaf in Leaf},
        "operations": {_verb(leaf) + leaf.value.title(): _operation(leaf) for leaf in Leaf},
        "components": {
            "messages": {model.__name__: _message(model) for model in models},
            "schemas": schemas["$defs"],
        },
    }


def _channel(leaf: Leaf) -> dict[str, Any]:
    named = {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in SAID[leaf]}
    return {
        "address": f"{ROOT}/{{agent}}/{leaf.value}",
        "description": WHAT[leaf],
        "parameters": {"agent": {"description": "The agent's id, which is the MQTT user."}},
        "messages": named,
    }


def _verb(leaf: Leaf) -> str:
    return "tell" if leaf in {Leaf.OFFER, Leaf.STATE} else "hear"


def _operation(leaf: Leaf) -> dict[str, Any]:
    """Say what the dialer does with a channel."""
    return {
        "action": _ACTIONS[_verb(leaf)],
        "channel": {"$ref": f"#/channels/{leaf.value}"},
        "bindings": {"mqtt": {"qos": 1, "retain": leaf in {Leaf.PRESENCE, Leaf.STATE}}},
    }


def _message(model: type[BaseModel]) -> dict[str, Any]:
    summary = (model.__doc__ or "").strip().partition("\n")[0]
    return {"summary": summary, "payload": {"$ref": _REF.format(model=model.__name__)}}
