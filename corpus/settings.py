"""One Settings object: flags > GROUNDWIRE_* environment > groundwire.toml > defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from corpus.errors import UsageError

CONFIG_FILE = "groundwire.toml"


class Settings(BaseSettings):
    """What a user can set. Read once at the edge, then passed as values."""

    model_config = SettingsConfigDict(env_prefix="GROUNDWIRE_", frozen=True, extra="forbid")

    home: Path = Field(default_factory=lambda: user_data_path("groundwire", appauthor=False))
    embedder: str = "all-MiniLM-L6-v2"
    device: str = "cpu"
    model: str = "auto"
    chroma_url: str | None = None

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=CONFIG_FILE),
        )


def load_settings(**flags: Any) -> Settings:
    """Settings in which each flag that is not `None` wins.

    Raises UsageError, naming the setting, when a value can't be used.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"The setting {name!r} can't be used: {first['msg']}.",
            f"Correct the flag, the variable GROUNDWIRE_{name.upper()} or {CONFIG_FILE}.",
        ) from error
    except ValueError as error:  # tomllib.TOMLDecodeError
        raise UsageError(f"{CONFIG_FILE} is not valid TOML: {error}.", "Correct it.") from error
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})
