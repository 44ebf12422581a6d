"""Customers added by hand."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.adding import add_customer
from crm.leads import need_lead
from dialer.core.types import CampaignKind
from dialer.errors import BadInput, NotFound
from store.hand import LIST_NAME
from tests.crm.worlds import NOW, campaign, customer


@pytest.mark.req("S2-15", "S2-16")
async def test_a_customer_is_added_to_the_list_of_calls_by_hand_and_not_twice(sqlite: AsyncEngine) -> None:
    await campaign(sqlite, kind=CampaignKind.MANUAL)
    values = {"name": " Trần Thị Hà ", "email": "ha@example.vn", "province": ""}
    lead_id = await add_customer(sqlite, "Tết", "0900 000 045", values, now=NOW)
    lead = await need_lead(sqlite, lead_id)
    assert (lead.name, lead.phone, lead.list_name) == ("Trần Thị Hà", "+84900000045", LIST_NAME)
    assert (await customer(sqlite, "+84900000045")).email == "ha@example.vn"
    with pytest.raises(BadInput, match="phone: this number is in the campaign already"):
        await add_customer(sqlite, "Tết", "0900000045", values, now=NOW + 1)


@pytest.mark.parametrize(
    ("phone", "values", "words"),
    [
        ("0900000045", {"name": " "}, "name: fill it in"),
        ("0900000045", {}, "name: fill it in"),
        ("090", {"name": "Hà"}, "phone: "),
        ("0900000045", {"name": "Hà", "email": "ha"}, "email: "),
        ("0900000045", {"name": "Hà", "shoe": "41"}, "shoe: not a field"),
    ],
)
async def test_what_is_missing_or_wrong_is_named(
    sqlite: AsyncEngine, phone: str, values: dict[str, str], words: str
) -> None:
    await campaign(sqlite)
    with pytest.raises(BadInput, match=words):
        await add_customer(sqlite, "Tết", phone, values, now=NOW)


async def test_a_campaign_that_is_not_there_is_named(sqlite: AsyncEngine) -> None:
    with pytest.raises(NotFound, match="no campaign 'Tét'"):
        await add_customer(sqlite, "Tét", "0900000045", {"name": "Hà"}, now=NOW)
