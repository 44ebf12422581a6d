"""Settings of a process: environment variables `DIALER_*`, then defaults."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dialer.errors import BadInput


class Settings(BaseSettings):
    """Where things are and how much of them there is; each field is also `DIALER_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="DIALER_", extra="ignore")

    home: Path = Path("dialer-data")
    """The folder that holds the database, the analytics and the secrets of this installation."""
    database_url: str = ""
    """Empty = SQLite in the home folder; or postgresql://USER@HOST/NAME."""
    host: str = "127.0.0.1"
    """The address on which the console listens."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """The console's port; 0 = any free one."""
    trunk: str = "simulator"
    """Which telephony adapter places the calls; a name that is not known is refused with those that are."""
    trunk_channels: int = Field(default=100, ge=1)
    """How many calls the trunk carries at once."""
    trunk_cps: float = Field(default=10.0, gt=0)
    """How many calls the trunk takes a second."""
    overrides: Path | None = None
    """A per-trunk override table, what one carrier's codes really mean (statuses.md 2.10); None = none."""
    drain_s: float = Field(default=30.0, ge=0)
    """How long a stop waits for calls to finish."""
    webhook_private: bool = False
    """Whether call records may be posted to loopback and private addresses, and there without TLS."""
    webhook_give_up_h: float = Field(default=24.0, ge=0)
    """A receiver that has failed for so many hours, and 20 times in a row, is disabled."""
    webhook_keep_days: float = Field(default=7.0, gt=0)
    """How long a call record waits for a receiver that does not take it."""
    log_level: str = "INFO"

    @property
    def database(self) -> str:
        """Return the database URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'dialer.db'}"

    @property
    def analytics_path(self) -> Path:
        """Return the folder of the embedded ClickHouse engine."""
        return self.home / "analytics"


def load(**given: object) -> Settings:
    """Read the settings; `given` values (None = not given) win. Raise BadInput naming the setting that is wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"setting {name} (DIALER_{name.upper()}): {first['msg']}") from error
