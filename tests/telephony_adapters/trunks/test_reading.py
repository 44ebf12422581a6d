"""Tables of a settings file into structs."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from dialer.errors import BadInput
from telephony_adapters.trunks.reading import (
    FLAG,
    PATH,
    SECRET,
    Secret,
    choice,
    mapping,
    number,
    several,
    table,
    text,
    whole,
)


class Lamp(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    watts: Annotated[int, whole(1, 100)]
    warmth: Annotated[float, number(0, 1)] = 0.5
    colour: Annotated[str, choice("red", "blue")] = "red"
    lit: Annotated[bool, FLAG] = False
    pin: Annotated[Secret | None, SECRET] = None
    manual: Annotated[Path | None, PATH] = None
    rooms: Annotated[tuple[str, ...], several(text("a room", r"[a-z]+"), "a list of rooms")] = ()
    hours: Annotated[dict[str, int], mapping(text("a day", r"[a-z]+"), whole(0, 24), "a table of hours")] = {}


def test_a_table_is_read_key_by_key() -> None:
    raw = {"watts": 7, "warmth": Decimal("0.25"), "lit": True, "pin": "0000", "manual": "m.txt", "rooms": ["hall"]}
    lamp = table(Lamp, raw | {"hours": {"mon": 8}}, "lamps", name="a")
    assert lamp == Lamp(
        name="a", watts=7, warmth=0.25, lit=True, pin=Secret("0000"), manual=Path("m.txt"), rooms=("hall",),
        hours={"mon": 8},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ([], "lamps: expected a table of keys, not []"),
        ({}, "lamps: watts is missing: expected a whole number from 1 to 100"),
        ({"wats": 7}, "lamps: 'wats' is no key here; did you mean 'watts'?"),
        ({"name": "b"}, "lamps: 'name' is no key here; did you mean "),
        ({"watts": 0}, "lamps: watts: expected a whole number from 1 to 100, not 0"),
        ({"watts": True}, "lamps: watts: expected a whole number from 1 to 100, not True"),
        ({"watts": 7.0}, "lamps: watts: expected a whole number from 1 to 100, not 7.0"),
        ({"warmth": math.nan}, "lamps: warmth: expected a number from 0 to 1, not nan"),
        ({"warmth": Decimal("Infinity")}, "lamps: warmth: expected a number from 0 to 1, not Infinity"),
        ({"warmth": Decimal("1.5")}, "lamps: warmth: expected a number from 0 to 1, not 1.5"),
        ({"warmth": "1"}, "lamps: warmth: expected a number from 0 to 1, not '1'"),
        ({"colour": "green"}, "lamps: colour: expected one of red, blue, not 'green'"),
        ({"lit": 1}, "lamps: lit: expected true or false, not 1"),
        ({"manual": ""}, "lamps: manual: expected the name of a file or folder, not ''"),
        ({"rooms": "hall"}, "lamps: rooms: expected a list of rooms, not 'hall'"),
        ({"rooms": ["hall", 5]}, "lamps: rooms: expected a list of rooms, not ['hall', 5] (5: expected a room)"),
        ({"rooms": ["a", "a"]}, "lamps: rooms: expected a list of rooms, not ['a', 'a'] (one of them is there twice)"),
        ({"hours": ["mon"]}, "lamps: hours: expected a table of hours, not ['mon']"),
        ({"hours": {"mon": 25}}, "(25: expected a whole number from 0 to 24)"),
        ({"hours": {"MON": 2}}, "('MON': expected a day)"),
        ({"colour": "g" * 99}, "not 'ggggg"),
    ],
)
def test_a_mistake_is_named_with_what_is_expected(raw: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        table(Lamp, raw, "lamps", name="a")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("pin", [1234, "", ["geheim"]])
def test_what_is_no_password_is_not_shown_either(pin: object) -> None:
    with pytest.raises(BadInput, match=r"lamps: pin: expected a text in quotes, not empty, not what is there$"):
        table(Lamp, {"watts": 7, "pin": pin}, "lamps", name="a")


def test_a_secret_is_shown_nowhere() -> None:
    lamp = Lamp(name="a", watts=7, pin=Secret("geheim"))
    assert "geheim" not in f"{lamp} {lamp!r} {lamp.pin} {lamp.pin!r} {msgspec.json.encode(lamp, enc_hook=str)!r}"
    assert lamp.pin is not None
    assert lamp.pin.reveal() == "geheim"
    assert len({Secret("x"), Secret("x"), Secret("y")}) == 2
    assert Secret("x") != "x"


def test_control_characters_are_in_no_text() -> None:
    for wrong in ("a\r\nb", "a\0", "\x7f", ""):
        with pytest.raises(ValueError, match=r"^$"):
            text("a text").read(wrong)
