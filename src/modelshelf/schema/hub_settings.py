"""What is set about each hub: its address, a token, whether the network may be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["CivitaiSettings", "HubSettings", "origin_of"]


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of *url*: credentials go to one of these and to no other.

    Raises:
        ValueError: It has no port that can be.

    Example:
        >>> origin_of("https://HuggingFace.co/org/name")
        ('https', 'huggingface.co', 443)
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (80 if scheme == "http" else 443)


@dataclass(frozen=True, slots=True)
class HubSettings:
    """How Hugging Face is reached. Made by the caller; nothing here reads the environment."""

    endpoint: str = "https://huggingface.co"
    """Where the API and `resolve` are (`HF_ENDPOINT`), without a slash at the end."""
    token: str | None = field(default=None, repr=False)
    """Used where a source brings none (`HF_TOKEN`, or the file of a login); sent to the endpoint alone."""
    offline: bool = False
    """Whether nothing may be asked of the network (`HF_HUB_OFFLINE`)."""
    cache: Path | None = None
    """Folder in which Hugging Face's own client keeps what it downloaded (`HF_HUB_CACHE`); None where
    there is none. Only ever read."""

    def token_for(self, given: str | None) -> str | None:
        """Return the token to send: the one that was *given* with the source, else the settings'."""
        return given or self.token


@dataclass(frozen=True, slots=True)
class CivitaiSettings:
    """How Civitai is reached. Made by the caller; nothing here reads the environment."""

    endpoint: str = "https://civitai.com"
    """Where the API and the downloads are, without a slash at the end."""
    token: str | None = field(default=None, repr=False)
    """Used where a source brings none; sent to the endpoint alone."""
    offline: bool = False
    """Whether nothing may be asked of the network."""

    def token_for(self, given: str | None) -> str | None:
        """Return the token to send: the one that was *given* with the source, else the settings'."""
        return given or self.token
