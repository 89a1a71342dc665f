"""The settings of everything that goes over the network, and what the hubs' own variables say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, SecretStr

from modelshelf.schema.transfer import PrivateAddresses
from modelshelf.settings.sources import Given

__all__ = ["CivitaiSettings", "DownloadSettings", "HuggingFaceSettings", "read_hub_environment"]

_GROUP = ConfigDict(frozen=True, extra="forbid")
_NAMED = re.compile(r"\$(?:(\w+)|\{([^}]*)\})", re.ASCII)
"""A variable inside a value: `$HOME` or `${HOME}`."""


def _endpoint(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        message = "expected an address such as https://huggingface.co"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "expected an address without a password; give a token instead"
        raise ValueError(message)
    return address.rstrip("/")


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""Scheme and host of a hub, maybe with a path; without a slash at the end."""


def _at_home(path: Path) -> Path:
    # Of a user that there is not it stays as it is, and pathlib's own way would raise.
    return Path(os.path.expanduser(path))  # noqa: PTH111


Place = Annotated[Path, AfterValidator(_at_home)]
"""A path that may begin with `~`."""


class DownloadSettings(BaseModel):
    """How files are fetched."""

    model_config = _GROUP

    parallel: Annotated[int, Field(ge=1, le=64)] = 5
    """Downloads that run at once."""
    connections: Annotated[int, Field(ge=1, le=64)] = 8
    """Connections that one file may use, where they help."""
    connections_per_host: Annotated[int, Field(ge=1, le=256)] = 16
    """Connections to one host, whatever is fetched from it."""
    rate: Annotated[ByteSize | None, Field(gt=0)] = None
    """Bytes a second for all downloads together, such as `20M`; not set means no limit."""
    rate_per_host: Annotated[ByteSize | None, Field(gt=0)] = None
    """Bytes a second from one host; not set means no limit."""
    private_addresses: PrivateAddresses = PrivateAddresses.REFUSE
    """Whether addresses may lead to hosts inside this machine or network: `refuse`, `as-named` (a host that you
    name yourself, and no redirect to another), or `allow`. The hubs that settings name may be anywhere."""
    cache_size: Annotated[ByteSize, Field(ge=0)] = ByteSize(20_000_000_000)
    """Bytes that files fetched by `download_and_cache` may take; those that were not used longest go first."""


class HuggingFaceSettings(BaseModel):
    """The Hugging Face Hub, or a mirror of it. The variables of its own programs count too."""

    model_config = _GROUP

    endpoint: Endpoint = "https://huggingface.co"
    """Where the hub is; `HF_ENDPOINT` says it too. The token goes there and nowhere else."""
    token: SecretStr | None = None
    """Access token; `HF_TOKEN` says it too. Not set means the one that `hf auth login` stored, if any."""
    token_path: Place = Field(default_factory=lambda: _home(os.environ) / "token")
    """File of the token that `hf auth login` stored; `HF_TOKEN_PATH` and `HF_HOME` say it too."""
    implicit_token: bool = True
    """False for sending no token but *token* and one given for a source; `HF_HUB_DISABLE_IMPLICIT_TOKEN` says
    it too, and `HF_TOKEN` and the stored token are left alone then."""
    cache: Place = Field(default_factory=lambda: _home(os.environ) / "hub")
    """The hub's own cache, read and never changed: what is there is not fetched; `HF_HUB_CACHE` and `HF_HOME`
    say it too."""
    offline: bool = False
    """True for asking no hub at all; `HF_HUB_OFFLINE` says it too."""


class CivitaiSettings(BaseModel):
    """Civitai, or a site that answers like it."""

    model_config = _GROUP

    endpoint: Endpoint = "https://civitai.com"
    """Where the site is. The token goes there and nowhere else."""
    token: SecretStr | None = None
    """API key of your account there; `CIVITAI_TOKEN` says it too."""


def read_hub_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """Read what the hubs' own programs read, and as they read it.

    A `~` and variables are replaced in paths. `HF_TOKEN` gives nothing where the user has asked, by
    `HF_HUB_DISABLE_IMPLICIT_TOKEN`, that no token be sent that was not given for the purpose.

    Source: `huggingface.co/docs/huggingface_hub/package_reference/environment_variables`.
    """
    if any(environ.get(name) for name in ("HF_HOME", "XDG_CACHE_HOME")):
        home, variable = _home(environ), "HF_HOME" if environ.get("HF_HOME") else "XDG_CACHE_HOME"
        yield Given("hugging_face.token_path", home / "token", f"environment `{variable}`")
        yield Given("hugging_face.cache", home / "hub", f"environment `{variable}`")
    is_silent = environ.get(_SILENT, "").strip().upper() in _TRUE
    if is_silent:
        yield Given("hugging_face.implicit_token", False, f"environment `{_SILENT}`")  # noqa: FBT003
    for variable, name in _VARIABLES.items():
        value = environ.get(variable, "").strip()
        if value and not (is_silent and name == "hugging_face.token"):
            place = _place(value, environ) if name in _PLACES else value
            yield Given(name, place, f"environment `{variable}`")


def _home(environ: Mapping[str, str]) -> Path:
    if home := environ.get("HF_HOME"):
        return _place(home, environ)
    caches = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _place(f"{caches}/huggingface", environ)


def _place(text: str, environ: Mapping[str, str]) -> Path:
    """Read a path as the hub's client does: a shell that starts programs from a file replaces nothing."""
    home = _at_home(Path(text))
    return Path(_NAMED.sub(lambda found: environ.get(found[1] or found[2], found[0]), str(home)))


_SILENT = "HF_HUB_DISABLE_IMPLICIT_TOKEN"
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})
"""What the hub's client takes for yes."""
_PLACES = frozenset({"hugging_face.token_path", "hugging_face.cache"})
_VARIABLES: Mapping[str, str] = {
    "HF_ENDPOINT": "hugging_face.endpoint",
    "HUGGING_FACE_HUB_TOKEN": "hugging_face.token",
    "HF_TOKEN": "hugging_face.token",
    "HF_TOKEN_PATH": "hugging_face.token_path",
    "HUGGINGFACE_HUB_CACHE": "hugging_face.cache",
    "HF_HUB_CACHE": "hugging_face.cache",
    "TRANSFORMERS_OFFLINE": "hugging_face.offline",
    "HF_HUB_OFFLINE": "hugging_face.offline",
    "CIVITAI_TOKEN": "civitai.token",
}
"""Variable → the setting that it gives, the later over the earlier: names of old come before today's."""
