"""Settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.config import home_in_file, load, load_all
from dialer.errors import BadInput


def test_given_wins_over_environment_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().port == 8080
    monkeypatch.setenv("DIALER_PORT", "9090")
    monkeypatch.setenv("DIALER_HOME", "/srv/dialer")
    assert (load().port, load(port=7070).port, load(port=None).port) == (9090, 7070, 9090)
    assert load().database == "sqlite:////srv/dialer/dialer.db"
    assert load().analytics_path == Path("/srv/dialer/analytics")
    assert (load().sip_trace_path, load(sip_trace_mb=2).sip_trace_bytes) == (Path("/srv/dialer/sip-trace"), 2_000_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 99_999),
        ("port", "x"),
        ("trunk_cps", 0),
        ("trunk_channels", -1),
        ("sip_trace_share", 1.1),
        ("sip_trace_mb", 0),
    ],
)
def test_a_wrong_value_names_the_setting_and_its_variable(name: str, value: object) -> None:
    with pytest.raises(BadInput, match=rf"{name} \(DIALER_{name.upper()}\)"):
        load(**{name: value})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_option_over_environment_over_file_over_default_and_each_says_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "x.toml", 'port = 1\nhost = "::1"\ndrain_s = 5\nkafka = "k:9092"\n')
    monkeypatch.setenv("DIALER_HOST", "127.0.0.2")
    monkeypatch.setenv("DIALER_DRAIN_S", "6")
    loaded = load_all(config=file, drain_s=7)
    settings = loaded.settings
    assert (settings.port, settings.host, settings.drain_s, settings.kafka) == (1, "127.0.0.2", 7.0, "k:9092")
    found = {name: loaded.sources[name] for name in ("port", "host", "drain_s", "trunk")}
    assert found == {"port": str(file), "host": "DIALER_HOST", "drain_s": "option", "trunk": "default"}


def test_the_file_is_the_named_one_else_the_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "home" / "dialer.toml", "port = 1\n")
    named = write(tmp_path / "named.toml", f'port = 2\nhome = "{tmp_path}/other"\n')
    assert load(home=tmp_path / "home").port == 1
    assert load(home=tmp_path / "home", config=named).port == 2
    assert home_in_file(None) is None
    monkeypatch.setenv("DIALER_CONFIG", str(named))
    assert (load().port, load().home) == (2, tmp_path / "other")
    assert home_in_file(None) == tmp_path / "other"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('databse_url = "x"', "'databse_url' is no setting; did you mean 'database_url'?"),
        ("[kafka]\nservers = 1", "setting kafka .DIALER_KAFKA. in .*dialer.toml"),
        ("port = ", "not valid TOML"),
        ("port = 70000", "setting port .DIALER_PORT. in .*dialer.toml"),
        ('home = "x"', "cannot be set in the home folder's own file"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path / "dialer.toml", text)
    with pytest.raises(BadInput, match=says):
        load(home=tmp_path)


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the settings file .*none\.toml: No such file"):
        load(config=tmp_path / "none.toml")


def test_a_misspelled_variable_is_refused_and_a_strange_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_PORT_8080_TCP", "tcp://10.0.0.1:8080")  # what Kubernetes adds beside a service
    assert load_all().strangers == ("DIALER_PORT_8080_TCP",)
    monkeypatch.setenv("DIALER_DATABSE_URL", "postgresql://x")
    with pytest.raises(BadInput, match=r"DIALER_DATABSE_URL is no setting; did you mean DIALER_DATABASE_URL\?"):
        load()


def test_addresses_are_left_out_where_settings_are_shown_whole() -> None:
    shown = repr(
        load(
            database_url="postgresql://u:geheim12@h/d",
            clickhouse_url="http://u:geheim34@h/d",
            mqtt_url="mqtt://u:geheim56@h",
        )
    )
    assert "geheim" not in shown
