"""What the settings say of the hubs, as those who ask them want to know it."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.settings import Settings

__all__ = ["civitai_access", "hub_access"]

_LONGEST_TOKEN = 4096


def hub_access(settings: Settings) -> HubSettings:
    """Return how Hugging Face is reached, with the token of the settings or else of its own login."""
    hub = settings.hugging_face
    stored = _stored_token(hub.token_path) if hub.implicit_token else None
    return HubSettings(
        endpoint=hub.endpoint,
        token=_secret(hub.token) or stored,
        offline=hub.offline or settings.offline,
        cache=hub.cache,
    )


def civitai_access(settings: Settings) -> CivitaiSettings:
    """Return how Civitai is reached."""
    site = settings.civitai
    return CivitaiSettings(
        endpoint=site.endpoint, token=_secret(site.token), offline=settings.offline
    )


def _secret(token: SecretStr | None) -> str | None:
    return None if token is None else token.get_secret_value().strip() or None


def _stored_token(path: Path) -> str | None:
    try:
        with path.open(encoding="ascii") as stream:
            token = stream.read(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError):
        return None
    # A token is one word; anything else is another program's file.
    return token if token and token.isprintable() and " " not in token else None
