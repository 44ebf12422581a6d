from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.customers import edit_customer, read_customer
from crm.leads import LeadFilter, LeadOrder, list_leads
from dialer.errors import BadInput, NotFound
from tests.crm.worlds import NOW, campaign, e164, people


@pytest.fixture
async def two(sqlite: AsyncEngine, tmp_path: Path) -> AsyncEngine:
    await campaign(sqlite)
    await people(sqlite, tmp_path, 2)
    return sqlite


async def test_changes_are_kept(two: AsyncEngine) -> None:
    changes = {
        "name": " Ánh ",
        "birthday": "28/02/1990",
        "gender": "Nữ",
        "id_number": "001",
        "ward": "Phường 1",
        "email": "",
    }
    await edit_customer(two, 2, {**changes, "email": ""}, now=NOW + 1)
    found = await read_customer(two, 2)
    assert (found["phone"], found["name"], found["birthday"]) == (e164(2), "Ánh", "1990-02-28")
    assert (found["gender"], found["id_number"], found["ward"], found["email"]) == ("female", "001", "Phường 1", None)
    page = await list_leads(two, LeadFilter(), LeadOrder.NAME)
    assert [row.name for row in page.rows] == ["Ánh", "Khách 1"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "x"}, "email: not an e-mail"),
        ({"phone": "0950000009"}, "phone: not a field that can be changed; these can: name, "),
        ({"code": "a b"}, "code: a code is made of letters"),
        ({"code": "KH000001"}, "code: 'KH000001' belongs to another customer"),
    ],
)
@pytest.mark.req("S0-8")
async def test_wrong_changes_name_the_field(two: AsyncEngine, changes: dict[str, str | None], words: str) -> None:
    before = await read_customer(two, 2)
    with pytest.raises(BadInput, match=words):
        await edit_customer(two, 2, {"note": "x", **changes}, now=NOW)
    assert await read_customer(two, 2) == before


async def test_a_code_may_be_letters_and_digits_but_not_nothing(two: AsyncEngine) -> None:
    await edit_customer(two, 2, {"code": "vip7"}, now=NOW)
    assert (await read_customer(two, 2))["code"] == "VIP7"
    await edit_customer(two, 2, {"code": "", "name": None}, now=NOW)
    assert (await read_customer(two, 2))["code"] == "VIP7"


async def test_nobody(two: AsyncEngine) -> None:
    with pytest.raises(NotFound):
        await read_customer(two, 99)
    with pytest.raises(NotFound):
        await edit_customer(two, 99, {"note": "x"}, now=NOW)
