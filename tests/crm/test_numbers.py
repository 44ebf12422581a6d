from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.migration_2018 import NEW_PREFIX
from crm.numbers import BadPhone, Phone, PhoneFault, PhoneKind, mask, need_phone, parse_phone
from dialer.errors import BadInput

MOBILE_PREFIXES = ["32", "39", "56", "58", "59", "70", "79", "81", "85", "86", "88", "90", "95", "98", "99"]
mobiles = st.builds(lambda a, b: a + b, st.sampled_from(MOBILE_PREFIXES), st.from_regex(r"[0-9]{7}", fullmatch=True))


def parsed(text: str, *, migrate_2018: bool = False) -> Phone:
    found = parse_phone(text, migrate_2018=migrate_2018)
    assert isinstance(found, Phone), found
    return found


def fault(text: str, *, migrate_2018: bool = False) -> PhoneFault:
    found = parse_phone(text, migrate_2018=migrate_2018)
    assert isinstance(found, BadPhone), found
    assert found.vi
    assert found.en
    return found.fault


@pytest.mark.parametrize(
    "text",
    [
        "0951234567",
        "84951234567",
        "+84951234567",
        "951234567",
        "0084951234567",
        "+84 (0)95 123 4567",
        "095.123.4567",
        "095-123-4567",
        " 0951 234 567\u00a0",
        "'0951234567",
        "951234567.0",
        "9.51234567E8",
        "9.51234567E+08",
        "84951234567.0",
        "8.4951234567E10",
    ],
)
def test_every_way_of_writing_gives_one_number(text: str) -> None:
    assert parsed(text).e164 == "+84951234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", PhoneFault.EMPTY),
        (" - ", PhoneFault.EMPTY),
        ("không có", PhoneFault.CHARACTERS),
        ("095123456O", PhoneFault.CHARACTERS),
        ("٠٩٥١٢٣٤٥٦٧", PhoneFault.CHARACTERS),
        ("0951234567/0951234568", PhoneFault.SEVERAL),
        ("0951234567; 0951234568", PhoneFault.SEVERAL),
        ("9.51E+08", PhoneFault.ROUNDED),
        ("8,49512E+10", PhoneFault.ROUNDED),
        ("0951234", PhoneFault.TOO_SHORT),
        ("0", PhoneFault.TOO_SHORT),
        ("09512345678", PhoneFault.TOO_LONG),
        ("0" * 5000, PhoneFault.TOO_LONG),
        ("0611234567", PhoneFault.UNASSIGNED),
        ("01991234567", PhoneFault.OLD_11_DIGITS),
        ("1900123456", PhoneFault.PREMIUM),
        ("+1", PhoneFault.TOO_SHORT),
        ("+999123456789", PhoneFault.UNASSIGNED),
    ],
)
def test_what_is_no_number_says_why(text: str, expected: PhoneFault) -> None:
    assert fault(text) is expected


@pytest.mark.parametrize(("old", "new"), NEW_PREFIX.items())
def test_old_mobiles_are_converted_only_when_asked(old: str, new: str) -> None:
    for written in (f"0{old}1234567", f"84{old}1234567", f"{old}1234567"):
        assert fault(written) is PhoneFault.OLD_11_DIGITS
        found = parsed(written, migrate_2018=True)
        assert (found.e164, found.migrated, found.kind) == (f"+84{new}1234567", True, PhoneKind.MOBILE)


def test_landlines_and_other_countries() -> None:
    hanoi = parsed("024 3999 0000")
    assert (hanoi.e164, hanoi.kind, hanoi.carrier_guess) == ("+842439990000", PhoneKind.LANDLINE, None)
    assert parsed("+1 201-555-0123").e164 == "+12015550123"
    assert parsed("1800123456").kind is PhoneKind.OTHER


@pytest.mark.parametrize(
    ("text", "carrier"),
    [
        ("0321234567", "Viettel"),
        ("0871234567", "Itel"),
        ("0998123456", "Itel"),
        ("0993123456", "Gmobile"),
        ("0951234567", None),
    ],
)
def test_the_prefix_only_guesses_the_carrier(text: str, carrier: str | None) -> None:
    assert parsed(text).carrier_guess == carrier


@given(mobiles, st.sampled_from(["0{}", "84{}", "+84{}", "{}", "0084{}", "{}.0"]))
def test_all_forms_agree_and_parsing_again_changes_nothing(national: str, form: str) -> None:
    found = parse_phone(form.format(national), migrate_2018=False)
    if isinstance(found, BadPhone):
        assert found.fault is PhoneFault.UNASSIGNED
        return
    assert found.e164 == "+84" + national
    assert parse_phone(found.e164, migrate_2018=False) == found


@given(st.from_regex(r"0?[1-9][0-9]{7,10}", fullmatch=True))
def test_accepts_exactly_what_libphonenumber_holds_valid(text: str) -> None:
    found = parse_phone(text, migrate_2018=False)
    if isinstance(found, Phone):
        assert phonenumbers.is_valid_number(phonenumbers.parse(found.e164, None))
    elif found.fault is PhoneFault.UNASSIGNED:
        assert not phonenumbers.is_valid_number(phonenumbers.parse(text, "VN"))


@given(st.text())
def test_never_raises_and_never_invents(text: str) -> None:
    found = parse_phone(text, migrate_2018=True)
    if isinstance(found, Phone):
        assert phonenumbers.is_valid_number(phonenumbers.parse(found.e164, None))


@given(mobiles)
def test_a_mask_shows_five_digits(national: str) -> None:
    assert mask("+84" + national) == "*****" + national[-5:]


def test_a_person_is_told_what_is_wrong() -> None:
    assert need_phone("0951 234 567") == "+84951234567"
    with pytest.raises(BadInput, match="more than one phone number"):
        need_phone("0951234567 / 0951234568")
