"""What calls may have to play goes out with them; what cannot be said keeps them from leaving."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core import events
from dialer.core.content import RETRY_S, TRIES
from dialer.core.effects import Originate, SettleAttempt
from dialer.core.script import ScriptText
from dialer.core.types import CampaignKind, CampaignSettings, HoldReason
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import CallStatus, LocalError
from tests.dialer.core.bench_engine import SETTINGS, Bench, lead
from tests.dialer.core.scripts import MENU

SCRIPTED = msgspec.structs.replace(
    SETTINGS, kind=CampaignKind.AUTODIALER, pacer="agentless", script="menu", max_calls=8
)
STORED = ScriptText("menu", 1, MENU)


def begun(settings: CampaignSettings, script: ScriptText | None, *, agents: int = 1, **fields: object) -> Bench:
    bench = Bench(settings, leads=30, script=script)
    bench.queue = [lead(n, name=f"Lan {n}", **fields) for n in range(1, 31)]
    bench.start(agents=agents)
    return bench


def test_every_prompt_of_the_call_is_named_before_it_leaves() -> None:
    bench = begun(msgspec.structs.replace(SCRIPTED, overflow_prompt="say:vi:Xin lỗi {name}"), STORED)
    first = bench.of(Originate)[0]
    assert first.prompts[1].startswith("say:vi:Chào Lan 1.")
    assert first.prompts[-1] == "say:vi:Xin lỗi Lan 1"
    talk = begun(msgspec.structs.replace(SETTINGS, overflow_prompt="sorry"), None)
    assert talk.of(Originate)[0].prompts == ("sorry",)
    assert begun(SETTINGS, None).of(Originate)[0].prompts == ()


@pytest.mark.req("S0-6.6")
def test_a_deleted_script_ends_a_few_attempts_as_failed_calls_nobody_and_holds_the_campaign() -> None:
    bench = begun(SCRIPTED, None)
    bench.wait(60.0)
    assert bench.calls == []
    records = [settled.record for settled in bench.of(SettleAttempt)]
    assert len(records) == TRIES
    for record in records:
        assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.FAILED, "script_deleted")
        assert (record.lead_trigger, record.error_kind) == (Trigger.ERROR, ErrorKind.CONTENT)
        assert record.next_at is not None
        assert not record.verdict.counts
    figures = bench.engine.figures(bench.now)
    assert (figures.reason, figures.detail) == (HoldReason.CONTENT, "script_deleted")
    bench.wait(RETRY_S * 20)
    assert len(bench.of(SettleAttempt)) == TRIES


def test_a_new_version_of_the_script_lets_the_campaign_go_on_at_once() -> None:
    bench = begun(SCRIPTED, None)
    bench.tell(events.SettingsChanged(SCRIPTED, STORED))
    bench.wait(1.0)
    assert len(bench.calls) == TRIES  # until one of them has left
    bench.tell(events.CallRinging(bench.calls[0]))
    bench.wait(1.0)
    assert len(bench.calls) == SCRIPTED.max_calls


def test_a_text_that_names_what_the_customer_has_not_is_a_template_error_of_that_call() -> None:
    text = ScriptText("menu", 1, MENU.replace("{name}", "{debt}"))
    bench = begun(SCRIPTED, text)
    assert [s.record.verdict.sub_reason for s in bench.of(SettleAttempt)] == ["template"] * TRIES
    bench.wait(RETRY_S)
    assert len(bench.of(SettleAttempt)) == TRIES + 1
    assert bench.calls == []
    assert begun(SCRIPTED, text, fields={"debt": "12"}).of(Originate)[0].prompts[1].startswith("say:vi:Chào 12.")


def test_what_the_shell_finds_missing_holds_the_campaign_too() -> None:
    bench = begun(msgspec.structs.replace(SETTINGS, overflow_prompt="gone"), None, agents=9)
    for call in bench.calls[:TRIES]:
        bench.tell(events.CallEnded(call, local_error=LocalError.AUDIO))
        assert bench.settled(call).record.verdict.sub_reason == "audio"
    bench.wait(1.0)
    assert bench.engine.figures(bench.now).detail == "audio"


def test_a_script_that_can_give_calls_to_agents_waits_for_one() -> None:
    bench = begun(SCRIPTED, STORED, agents=0)
    assert bench.engine.figures(bench.now).reason is HoldReason.NO_AGENT
    bench.tell(events.AgentReady("a1"))
    bench.wait(1.0)
    assert bench.calls
