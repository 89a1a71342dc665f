"""What a record says of where its model came from: the source in words, and the hub's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AnyHttpUrl

from modelshelf.identify.file_name import claims_of_name
from modelshelf.metadata.gathering import Gathering
from modelshelf.schema.address_secrets import is_secret
from modelshelf.schema.config import ModelSourceType
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.repo_metadata import CivitaiMetadata, HuggingFaceMetadata
from modelshelf.schema.taxonomy import BaseModelType, ModelType
from modelshelf.schema.vocabulary import type_meant

__all__ = ["claims_told", "default_description", "source_in_words", "told_by", "without_secrets"]

_LONGEST_ANSWER = 4 * 1024 * 1024
"""Characters of a hub's answer that a record keeps."""


def without_secrets(source: ModelSource) -> ModelSource:
    """Return *source* without its token, and a URL without user information and secrets in its query.

    Example:
        >>> url = "https://me:word@h.example/a.safetensors?author=ann&X-Amz-Signature=f0&token=x"
        >>> str(without_secrets(URLModelSource(url=url)))
        'https://h.example/a.safetensors?author=ann'
    """
    if isinstance(source, LocalModelSource):
        return source
    if isinstance(source, URLModelSource):
        return URLModelSource(url=AnyHttpUrl(_clean(str(source.url))))
    return source.model_copy(update={"access_token": None})


def source_in_words(source: ModelSource) -> str:
    """Return *source* as it may be shown, logged and kept."""
    return str(without_secrets(source))


def _clean(url: str) -> str:
    parts = urlsplit(url)
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not is_secret(name)
    ]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query), ""))


def told_by(source: ModelSource, listing: Listing | None = None) -> dict[str, Any]:
    """Return the fields of a record that its source fills in.

    Args:
        source: Where the model came from.
        listing: What the hub listed; None for a model of this machine.
    """
    told: dict[str, Any] = {"source_type": _KINDS[type(source)]}
    metadata = None if listing is None else listing.metadata
    if metadata is None:
        return told
    told |= {"tags": sorted(metadata.tags), "author": metadata.author or None}
    if metadata.api_response and len(metadata.api_response) <= _LONGEST_ANSWER:
        told["source_api_response"] = metadata.api_response
    if isinstance(metadata, CivitaiMetadata):
        told |= {"license": metadata.license, "trigger_phrases": metadata.trained_words}
    if isinstance(metadata, HuggingFaceMetadata):
        card = metadata.tag_dict
        terms, trigger = card.get("license"), card.get("instance_prompt")
        told |= {"license": terms if isinstance(terms, str) else ""}
        told |= {"trigger_phrases": [trigger] if isinstance(trigger, str) and trigger else []}
    pictures = [] if listing is None else [one for one in listing.previews if one.type == "image"]
    if pictures:
        told["cover_image"] = pictures[0].url
    return {name: value for name, value in told.items() if value}


def claims_told(listing: Listing | None) -> tuple[Declared, ...]:
    """Return what a hub says that a model is: as much as the sidecar that another program would write of it.

    Of a repository that is its name.

    Args:
        listing: What the hub listed; None where there was none to list it.
    """
    metadata = None if listing is None else listing.metadata
    if isinstance(metadata, HuggingFaceMetadata):
        # Its card is one of its files, and speaks where it was fetched along.
        return claims_of_name(metadata.name)
    if not isinstance(metadata, CivitaiMetadata):
        return ()
    told = Gathering("civitai", Trust.SIDECAR)
    told.claim_base(metadata.base_model, "baseModel", type=type_meant(metadata.model_type))
    return tuple(told.claims)


def default_description(kind: ModelType, bases: Sequence[BaseModelType]) -> str:
    """Describe a model of which nobody wrote anything, by what it is; empty where that is unknown too.

    Example:
        >>> default_description(ModelType.VAE, (BaseModelType.SD_1, BaseModelType.SD_2))
        'vae model for sd-1, sd-2'

    Source: `spec/model-manager-v2.md`, "Model configuration and probing".
    """
    if kind is ModelType.UNKNOWN:
        return ""
    named = ", ".join(base.value for base in bases if base not in _NO_BASES)
    return f"{kind.value} model for {named}" if named else f"{kind.value} model"


_NO_BASES = frozenset({BaseModelType.UNKNOWN, BaseModelType.ANY})
_KINDS: dict[type, ModelSourceType] = {
    LocalModelSource: ModelSourceType.PATH,
    URLModelSource: ModelSourceType.URL,
    HFModelSource: ModelSourceType.HF_REPO_ID,
    CivitaiModelSource: ModelSourceType.CIVITAI,
}
