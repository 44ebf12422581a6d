from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given

from cdr.encode import attempt_settled, disposition_set
from cdr.events import Cdr, decode
from cdr.webhook_payload import PAYLOAD_VERSION, WebhookCall, call_body, probe_body
from dialer.core.types import AttemptRecord
from tests.cdr.samples import CAMPAIGN, HOTLINE, any_attempt, engaged, phone, result, talk

DOC = Path(__file__).resolve().parents[2] / "docs" / "webhook.md"


def body_of(value: bytes) -> Any:
    understood = decode(value)
    assert isinstance(understood.data, Cdr)
    return json.loads(call_body(understood.event, understood.data))


def test_a_talk_is_told_with_all_its_times() -> None:
    body = body_of(attempt_settled(talk(1), CAMPAIGN)[-1].value)
    assert (body["payload_version"], body["event"], body["version"]) == (PAYLOAD_VERSION, "cdr.finalized", 1)
    assert (body["call_id"], body["campaign_id"], body["campaign_name"]) == ("call-000001", 3, CAMPAIGN.name)
    assert (body["phone"], body["hotline"], body["agent_id"]) == (phone(1), HOTLINE, "agent-07")
    assert (body["started_at"], body["answered_at"]) == ("2026-09-21T14:13:21.000Z", "2026-09-21T14:13:31.000Z")
    assert (body["duration_ms"], body["billsec_ms"], body["wait_ms"]) == (40_000, 30_000, 1_000)
    assert (body["status"], body["sip_status"], body["disposition"]) == ("answered", 200, None)


def test_a_disposition_is_the_same_call_in_its_next_version() -> None:
    of = talk(1)
    done = disposition_set(result(of, disposition="SALE", note="ghi chú"), of, of.ended_at + 12, CAMPAIGN)
    first, second = body_of(attempt_settled(of, CAMPAIGN)[-1].value), body_of(done.value)
    assert (second["event"], second["version"], second["disposition"]) == ("disposition.set", 2, "SALE")
    assert second["note"] == "ghi chú"
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"event_id", "event", "version", "wrap_ms", "disposition", "note", "lead_trigger"}


@given(any_attempt())
def test_every_field_is_always_there(record: AttemptRecord) -> None:
    body = body_of(attempt_settled(record, CAMPAIGN)[-1].value)
    assert list(body) == list(WebhookCall.__struct_fields__)
    assert all(
        body[name] is None or re.fullmatch(r"[\d-]{10}T[\d:.]{12}Z", body[name])
        for name in body
        if name.endswith("_at")
    )


def test_a_time_that_no_calendar_knows_is_left_out() -> None:
    understood = decode(attempt_settled(engaged(2), CAMPAIGN)[-1].value)
    assert isinstance(understood.data, Cdr)
    body = json.loads(call_body(understood.event, msgspec.structs.replace(understood.data, next_at=10**30)))
    assert body["next_at"] is None


def test_a_trial_says_that_it_is_one() -> None:
    body = json.loads(probe_body("e-1", campaign_id=3, campaign_name="Tết", at=1_790_000_000.25))
    assert (body["event"], body["event_id"], body["sent_at"]) == ("webhook.test", "e-1", "2026-09-21T14:13:20.250Z")
    assert "phone" not in body


def test_the_page_documents_every_field_and_no_other() -> None:
    table = DOC.read_text(encoding="utf-8").split("## Fields")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert named == list(WebhookCall.__struct_fields__)
