"""Passwords, as Mosquitto keeps them."""

from __future__ import annotations

import pytest

from dialer.agents.password import hashed, matches, new_password


def test_a_password_matches_its_own_hash_only() -> None:
    password = new_password()
    stored = hashed(password)
    assert matches(password, stored)
    assert not matches(password + "x", stored)
    assert stored != hashed(password), "salted"
    assert len({new_password() for _ in range(100)}) == 100
    assert len(password) >= 22, "128 bits"


def test_a_hash_of_mosquitto_passwd_is_understood() -> None:
    made = (  # `mosquitto_passwd -U` 2.0.11
        "$7$101$12oplpreDcg2cT6I$"
        "1ifrNj22hWnrdDe+BR01g0DRVNg0UjzSzqMoE5PlCDchys2WYekAiM0X4ddgWFOI6JK/pYYfGuXqKhvaPcm+UQ=="
    )
    assert matches("geheim", made)
    assert not matches("Geheim", made)


@pytest.mark.parametrize(
    "stored", ["", "geheim", "$6$1$a$b", "$7$x$a$b", "$7$1$?$?", "$7$1$YQ==", "$7$1$YQ==$YQ==$YQ=="]
)
def test_a_damaged_hash_is_nobodys(stored: str) -> None:
    assert not matches("geheim", stored)
