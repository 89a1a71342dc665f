"""One parser for every text that can name a model: paths, repositories, URLs, AIRs, hashes.

The forms are those of `spec/model-manager-v2.md`, "heuristic_import", and what people copy from the
address bar: https://huggingface.co/docs/huggingface_hub/guides/hf_file_system (`hf://`),
https://developer.civitai.com/docs/getting-started/setup-guide (AIR).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from modelshelf.errors import InvalidModelSourceError
from modelshelf.schema.file_address import path_in
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings, origin_of
from modelshelf.schema.model_source import (
    PATH_SUFFIXES,
    REPO_ID,
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.taxonomy import ModelRepoVariant

__all__ = ["parse_source"]

_LONGEST = 4096
_HUB_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_CIVITAI_HOSTS = frozenset({"civitai.com", "www.civitai.com", "civitai.red", "civitai.green"})
_NOT_MODELS = frozenset({"api", "datasets", "docs", "spaces", "models", "settings", "collections"})
"""First steps of paths on the Hub that are no owner of models."""
_HOST = re.compile(r"[A-Za-z0-9.-]{4,253}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?=//)")
_HASH = re.compile(
    r"(?:(?:hash|sha256|blake3|autov[123]|crc32):)?"
    r"(?P<hash>[0-9A-F]{64}|[0-9A-F]{12}|[0-9A-F]{10}|[0-9A-F]{8})(?:\?(?P<query>.*))?",
    re.IGNORECASE,
)
_AIR = re.compile(
    r"(?:urn:)?air:(?:[\w.-]*:){0,2}(?P<hub>civitai|huggingface):(?P<id>[^@:]+)"
    r"(?:@(?P<version>[^:]+?))?(?:\.(?:safetensors|ckpt|pt|bin|gguf|diffusers))?",
    re.IGNORECASE,
)
_CIVITAI_SHORT = re.compile(r"civitai:(\d+)(?:@(\d+))?", re.IGNORECASE)
_REPOSITORY = re.compile(r"(?P<id>[^@:]+)(?:@(?P<revision>[^:]+))?(?::(?P<rest>.*))?", re.DOTALL)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # Too long for any file system, or in a folder that must not be searched.
        return False


def parse_source(
    text: str,
    *,
    access_token: str | None = None,
    hub: HubSettings | None = None,
    civitai: CivitaiSettings | None = None,
    exists: Callable[[Path], bool] = _is_there,
) -> ModelSource:
    r"""Say what source *text* names.

    A path that exists wins: `models/vae` is the folder where there is one, else a repository.
    `str()` of what is returned is read as the same source again, but for that: write `./models/vae`
    or `hf://models/vae` to say which. A token in the query of a hub's URL becomes the source's token.

    Args:
        text: Such as `~/x.safetensors`, `C:\x.safetensors`, `org/name:fp16:vae`,
            `https://civitai.com/models/58390`, `urn:air:sdxl:lora:civitai:1@2`, `hf://org/name`, or
            a hash. `https://` may be left out before a page of a hub, as browsers show it.
        access_token: For what needs one; kept by the source, shown nowhere.
        hub: Whose endpoint is recognised beside huggingface.co.
        civitai: Whose base URL is recognised beside civitai.com.
        exists: Says whether a path is there; tests bring their own.

    Raises:
        InvalidModelSourceError: It names no source.

    Example:
        >>> parse_source("runwayml/stable-diffusion-v1-5::vae").subfolder.as_posix()
        'vae'
        >>> parse_source("https://civitai.com/models/58390/detail-tweaker-lora-lora").model_id
        58390
        >>> parse_source("C:\\users\\fred\\model.safetensors").type
        'local'
    """
    if text != text.strip() and exists(Path(text)):
        # A name may end in a space; what people paste more often does without being meant.
        return LocalModelSource(path=Path(text))
    text = text.strip()
    hosts = _Hosts(hub or HubSettings(), civitai or CivitaiSettings())
    try:
        return _parse(text, access_token, hosts, exists)
    except ValidationError as error:
        problem = "; ".join(str(one["msg"]) for one in error.errors())
        raise _invalid(text, problem.removeprefix("Value error, ")) from error


class _Hosts:
    """Which addresses mean which hub."""

    def __init__(self, hub: HubSettings, civitai: CivitaiSettings) -> None:
        self._hub = origin_of(hub.endpoint)
        self._civitai = origin_of(civitai.endpoint)

    def is_hub(self, url: str) -> bool:
        origin = origin_of(url)
        return origin == self._hub or origin[1] in _HUB_HOSTS

    def is_civitai(self, url: str) -> bool:
        origin = origin_of(url)
        return origin == self._civitai or origin[1] in _CIVITAI_HOSTS

    def is_shown_by_a_browser(self, text: str) -> bool:
        """Say whether *text* is a page of a hub without the `https://` that browsers hide."""
        host, _, path = text.partition("/")
        # One step more than a repository has, so that nothing means both.
        if _HOST.fullmatch(host) is None or "/" not in path.strip("/"):
            return False
        return self.is_hub(f"https://{text}") or self.is_civitai(f"https://{text}")


def _parse(
    text: str, token: str | None, hosts: _Hosts, exists: Callable[[Path], bool]
) -> ModelSource:
    if not text or "\0" in text or len(text) > _LONGEST:
        raise _invalid(text, f"expected a text of 1 to {_LONGEST} characters")
    scheme = _SCHEME.match(text)
    if scheme is not None:
        return _from_url(scheme[1].lower(), text, token, hosts)
    if _is_plainly_a_path(text) or exists(Path(text)):
        return LocalModelSource(path=Path(text))
    if hosts.is_shown_by_a_browser(text):
        return _from_url("https", f"https://{text}", token, hosts)
    return _from_words(text, token)


def _is_plainly_a_path(text: str) -> bool:
    return bool(
        text.startswith((".", "~", "/", "\\"))
        or PureWindowsPath(text).drive
        or "\\" in text.partition(":")[0]
    )


def _from_url(scheme: str, text: str, token: str | None, hosts: _Hosts) -> ModelSource:
    if scheme == "hf":
        return _from_hf_url(text, token)
    if scheme == "file":
        return _from_file_url(text)
    if scheme not in {"http", "https"}:
        raise _invalid(text, f"expected http or https, got `{scheme}`")
    try:
        parts = urlsplit(text)
        origin_of(text)
    except ValueError as error:
        raise _invalid(text, str(error)) from error
    query = dict(parse_qsl(parts.query))
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if hosts.is_civitai(text) and (found := _civitai_page(steps, query, token)) is not None:
        return found
    if hosts.is_hub(text) and (page := _hub_page(steps, token)) is not None:
        return page
    return URLModelSource.model_validate({"url": text, "access_token": token})


def _from_file_url(text: str) -> LocalModelSource:
    try:
        return LocalModelSource(path=path_in(text))
    except ValueError as error:
        raise _invalid(text, str(error)) from error


def _from_hf_url(text: str, token: str | None) -> HFModelSource:
    """Read `hf://owner/name[@revision][/path]`, and our own words behind `hf://`."""
    words = text.partition("://")[2].strip("/")
    owner, _, rest = words.partition("/")
    name, slash, path = rest.partition("/")
    if slash and ":" not in name:
        repo_id, _, revision = f"{owner}/{unquote(name)}".partition("@")
        return HFModelSource(
            repo_id=repo_id,
            variant=None,
            subfolder=path,
            revision=unquote(revision) or None,
            access_token=token,
        )
    found = _REPOSITORY.fullmatch(words)
    if found is None:
        raise _invalid(text, "expected `hf://owner/name`")
    return _repository(found, text, token)


def _hub_page(steps: list[str], token: str | None) -> HFModelSource | None:
    """Read a repository's page, or a folder's or file's in it; None for what is no model's."""
    match steps:
        case [owner, *_] if owner in _NOT_MODELS:
            return None
        case [owner, name]:
            return HFModelSource(repo_id=f"{owner}/{name}", variant=None, access_token=token)
        case [owner, name, "tree" | "blob" | "resolve" | "raw", revision, *path]:
            return HFModelSource(
                repo_id=f"{owner}/{name}",
                variant=None,
                revision=revision,
                subfolder="/".join(path) or None,
                access_token=token,
            )
        case _:
            return None


def _civitai_page(
    steps: list[str], query: Mapping[str, str], token: str | None
) -> CivitaiModelSource | None:
    """Read a model's or version's page or a download link; None for what is none of them."""
    token = token or query.get("token") or None
    wishes = _wishes(query)
    file = _number(query.get("fileId"))
    match steps:
        case ["models", number, *_] | ["api", "v1", "models", number] if number.isdecimal():
            return CivitaiModelSource(
                model_id=int(number),
                version_id=_number(query.get("modelVersionId")),
                file_id=file,
                access_token=token,
                **wishes,
            )
        case (
            ["api", "download", "models", number]
            | ["model-versions", number]
            | ["api", "v1", "model-versions", number]
        ) if number.isdecimal():
            return CivitaiModelSource(
                version_id=int(number), file_id=file, access_token=token, **wishes
            )
        case ["api", "v1", "model-versions", "by-hash", text]:
            return CivitaiModelSource(hash=text, access_token=token)
        case _:
            return None


def _wishes(query: Mapping[str, str]) -> dict[str, str]:
    names = {"format": "format", "size": "size", "fp": "precision"}
    return {field: query[name] for name, field in names.items() if query.get(name)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _from_air(air: re.Match[str], text: str, token: str | None) -> ModelSource:
    """Read `urn:air:{base}:{type}:{hub}:{id}@{version}`; base and type are what the hub says anyway."""
    version = air["version"]
    if air["hub"].lower() == "huggingface":
        return HFModelSource(repo_id=air["id"], variant=None, revision=version, access_token=token)
    if not air["id"].isdecimal() or (version is not None and not version.isdecimal()):
        raise _invalid(text, "expected numbers of a model and of a version")
    return CivitaiModelSource(
        model_id=int(air["id"]), version_id=_number(version), access_token=token
    )


def _from_words(text: str, token: str | None) -> ModelSource:
    if (air := _AIR.fullmatch(text)) is not None:
        return _from_air(air, text, token)
    if (short := _CIVITAI_SHORT.fullmatch(text)) is not None:
        return CivitaiModelSource(
            model_id=int(short[1]), version_id=short[2] and int(short[2]), access_token=token
        )
    if (found := _HASH.fullmatch(text)) is not None:
        wishes = _wishes(dict(parse_qsl(found["query"] or "")))
        return CivitaiModelSource(hash=found["hash"], access_token=token, **wishes)
    found = _REPOSITORY.fullmatch(text)
    if found is not None and REPO_ID.fullmatch(found["id"]) is not None:
        # Nobody calls a repository like a model file; that a file is missing is the better answer.
        is_like_a_file = PurePosixPath(found["id"]).suffix.lower() in PATH_SUFFIXES
        return (
            LocalModelSource(path=Path(text)) if is_like_a_file else _repository(found, text, token)
        )
    if "/" not in text or ":" in text:
        raise _invalid(text, "nothing exists at that path, and no hub calls a model so")
    return LocalModelSource(path=Path(text))


def _repository(found: re.Match[str], text: str, token: str | None) -> HFModelSource:
    """Take the parts of `owner/name[@revision][:variant[:subfolder]]`."""
    variant, _, below = (found["rest"] or "").partition(":")
    if variant and variant not in ModelRepoVariant.__members__.values():
        allowed = ", ".join(ModelRepoVariant)
        raise _invalid(text, f"`{variant}` is no variant; expected one of {allowed}")
    return HFModelSource(
        repo_id=found["id"],
        variant=ModelRepoVariant(variant) if variant else None,
        subfolder=below or None,
        revision=unquote(found["revision"]) if found["revision"] else None,
        access_token=token,
    )


def _invalid(text: str, problem: str) -> InvalidModelSourceError:
    parts = text.partition("?")[0]
    if "@" in parts and "://" in parts:
        scheme, _, rest = parts.partition("://")
        parts = f"{scheme}://{rest.rpartition('@')[2]}"
    return InvalidModelSourceError(text=parts[:200], problem=problem)
