"""Every action of a desk becomes the fact that an engine knows."""

from __future__ import annotations

import pytest

from dialer.core.engine import ASKED
from dialer.core.events import AgentHeld, AgentHungUp, AgentTransferred, AgentWrappedUp, DialRequested, SupervisionAsked
from dialer.core.types import Lead, Supervision
from dialer.requests import ACTIONS, Wanted, clean, requested
from statuses.lead import Trigger


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (Wanted("dial", "an", phone="+84901"), DialRequested("an", Lead(0, 0, 0, "+84901"))),
        (Wanted("dial", "an", lead_id=4), DialRequested("an", Lead(4, 0, 0, ""))),
        (Wanted("hang_up", "an"), AgentHungUp("an")),
        (Wanted("hold", "an"), AgentHeld("an", on=True)),
        (Wanted("resume", "an"), AgentHeld("an", on=False)),
        (Wanted("transfer", "an", to_agent="binh"), AgentTransferred("an", "binh")),
        (Wanted("transfer", "an", phone="+84902"), AgentTransferred("an", None, "+84902")),
        (
            Wanted("supervise", "an", supervisor="boss", mode=Supervision.BARGE),
            SupervisionAsked("an", "boss", Supervision.BARGE),
        ),
        (
            Wanted("wrap_up", "an", trigger=Trigger.CALLBACK_ASKED, note="5 giờ", callback_at=9.0),
            AgentWrappedUp("an", Trigger.CALLBACK_ASKED, note="5 giờ", callback_at=9.0),
        ),
    ],
)
def test_a_request_is_the_fact_that_it_asks_for(wanted: Wanted, event: object) -> None:
    fact = requested(3, wanted)
    assert (fact.request_id, fact.event) == (3, event)
    assert type(event) in ASKED


def test_every_action_has_its_fact() -> None:
    assert {type(requested(1, Wanted(action, "an")).event) for action in ACTIONS} == set(ASKED)


def test_a_text_keeps_what_people_write_and_loses_what_no_database_takes() -> None:
    assert clean("Chị\u00a0Lan\n\tnợ\u200d 5\x00 tri\x1bệu\ud800") == "Chị\u00a0Lan\n\tnợ\u200d 5 triệu"
