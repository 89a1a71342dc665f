"""What the environment says about Hugging Face, as its own client reads it.

https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables. Nothing here looks
at this process's environment: the caller passes one in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelshelf.schema.hub_settings import HubSettings

__all__ = ["read_hub_settings"]

_LONGEST_TOKEN = 1_000
_YES = frozenset({"1", "on", "yes", "true"})


def read_hub_settings(environ: Mapping[str, str], home: Path) -> HubSettings:
    """Read endpoint, token, cache and offline mode.

    The token is `HF_TOKEN`, else what the file `HF_TOKEN_PATH` holds, else the file `token` in
    `HF_HOME`, which a login writes. `HF_HUB_DISABLE_IMPLICIT_TOKEN` leaves all of them alone. A file
    that cannot be read is no token.

    Args:
        environ: Name → value. An empty value is one that is not set.
        home: The user's home folder.

    Example:
        >>> read_hub_settings({"HF_ENDPOINT": "https://mirror.example/"}, Path("/home/fred"))
        HubSettings(endpoint='https://mirror.example', offline=False, \
cache=PosixPath('/home/fred/.cache/huggingface/hub'))
    """
    given = {name: text for name, text in environ.items() if text}
    cache_home = Path(given.get("XDG_CACHE_HOME", home / ".cache"))
    hf_home = Path(given.get("HF_HOME", cache_home / "huggingface"))
    cache = given.get("HF_HUB_CACHE") or given.get("HUGGINGFACE_HUB_CACHE") or hf_home / "hub"
    is_silent = given.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").lower() in _YES
    offline = given.get("HF_HUB_OFFLINE") or given.get("TRANSFORMERS_OFFLINE") or ""
    return HubSettings(
        endpoint=given.get("HF_ENDPOINT", HubSettings().endpoint).rstrip("/"),
        token=None if is_silent else _token(given, hf_home, home),
        offline=offline.lower() in _YES,
        cache=_expanded(Path(cache), home),
    )


def _token(given: Mapping[str, str], hf_home: Path, home: Path) -> str | None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if token := given.get(name, "").strip():
            return token
    path = _expanded(Path(given.get("HF_TOKEN_PATH", hf_home / "token")), home)
    try:
        with path.open("rb") as stream:
            text = stream.read(_LONGEST_TOKEN).decode("ascii")
    except (OSError, ValueError):
        return None
    return text.strip() or None


def _expanded(path: Path, home: Path) -> Path:
    """Replace a leading `~` by the home that was given."""
    return home.joinpath(*path.parts[1:]) if path.parts[:1] == ("~",) else path
