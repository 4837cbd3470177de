"""Settings of the installation, from `METIER_*` environment variables."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are kept and had from.

    `home`: the one data folder; `offline`: never ask a hub or index; `hub`: Hugging Face (`hf`) or ModelScope (`ms`),
    for models that both have; `fetch_pictures`: whether pictures that rows name on the web may be fetched.
    """

    model_config = SettingsConfigDict(env_prefix="METIER_", extra="ignore")

    home: Path = Path.home() / ".metier"
    runs: Path = Path("runs")
    offline: bool = False
    hub: Literal["hf", "ms"] = "hf"
    fetch_pictures: bool = False

    @property
    def models(self) -> Path:
        """The model store."""
        return self.home / "models"

    @property
    def datasets(self) -> Path:
        """The registry of the user's datasets."""
        return self.home / "datasets"


@cache
def settings() -> Settings:
    """The settings, read once. Tests clear it with `settings.cache_clear()`."""
    return Settings()
