from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dialer.errors import BadInput, NotFound
from simulator.toml_files import parse_toml, readable, shipped_texts, text_of


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int = 1


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()


def check(made: Outer) -> None:
    if made.name == "nobody":
        raise ValueError("name may not be nobody")


def test_a_good_file_becomes_a_struct() -> None:
    made = parse_toml('name = "x"\n[inner]\nsize = 2\n[[many]]\nsize = 3', Outer, source="f", check=check)
    assert made == Outer("x", Inner(2), (Inner(3),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name =", "f: not valid TOML"),
        ("", "f: Object missing required field `name`"),
        ('name = "x"\nnmae = 1', "f: unknown key nmae; allowed here: inner, many, name"),
        ('name = "x"\ninner.sise = 1', r"f: unknown key inner.sise; allowed here: size"),
        ('name = "x"\n[[many]]\nsise = 1', r"f: unknown key many\[0\].sise; allowed here: size"),
        ('name = "x"\ninner.size = "big"', "f: Expected `int`, got `str` at key `inner.size`"),
        ('name = "nobody"', "f: name may not be nobody"),
    ],
)
def test_a_bad_file_is_refused_with_source_key_and_reason(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_toml(text, Outer, source="f", check=check)


def test_a_text_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("x = 1")
    assert text_of("one", {"one": "text"}, "thing") == ("text", "one")
    assert text_of(str(path), {}, "thing") == ("x = 1", str(path))
    with pytest.raises(NotFound, match="no thing 'two': give a path to a TOML file, or one of these: one"):
        text_of("two", {"one": "text"}, "thing")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"mine\.toml: cannot be read as UTF-8"):
        text_of(str(path), {}, "thing")


def test_shipped_files_are_found_by_name() -> None:
    assert "small" in shipped_texts("simulator", "scenarios")


def test_the_name_of_the_struct_stands_for_the_whole() -> None:
    assert readable(ValueError("Object missing - at `$`"), Outer) == "Object missing at `outer`"
