"""Sources: what a text means, and what a hub lists for it. Nothing here downloads a model.

`parse_source` makes a source of a text. `HuggingFaceSource` and `CivitaiSource` ask their hub through a
`HubClient` and return a `Listing`: every file that is needed, pinned, with the digests that the hub
announces. Names are fetched when they are first used: who adds a file of this
machine does not wait for what asks hubs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.sources.civitai import CivitaiSource
    from modelshelf.sources.hugging_face import HuggingFaceSource
    from modelshelf.sources.hugging_face_cache import CachedFile, HuggingFaceCache
    from modelshelf.sources.hugging_face_selection import Selection, select_files
    from modelshelf.sources.reading import parse_source
    from modelshelf.sources.requests_client import RequestsHubClient

__all__ = [
    "CachedFile",
    "CivitaiSource",
    "HuggingFaceCache",
    "HuggingFaceSource",
    "RequestsHubClient",
    "Selection",
    "parse_source",
    "select_files",
]

_HOMES = {
    "CachedFile": "modelshelf.sources.hugging_face_cache",
    "CivitaiSource": "modelshelf.sources.civitai",
    "HuggingFaceCache": "modelshelf.sources.hugging_face_cache",
    "HuggingFaceSource": "modelshelf.sources.hugging_face",
    "RequestsHubClient": "modelshelf.sources.requests_client",
    "Selection": "modelshelf.sources.hugging_face_selection",
    "parse_source": "modelshelf.sources.reading",
    "select_files": "modelshelf.sources.hugging_face_selection",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(home), name)
