"""Sources: what a text means, and what a hub lists for it. Nothing here downloads a model."""

from modelshelf.sources.civitai import CivitaiSource
from modelshelf.sources.hugging_face import HuggingFaceSource
from modelshelf.sources.hugging_face_cache import CachedFile, HuggingFaceCache
from modelshelf.sources.hugging_face_selection import Selection, select_files
from modelshelf.sources.reading import parse_source
from modelshelf.sources.remote import RemoteSources
from modelshelf.sources.requests_client import RequestsHubClient

__all__ = [
    "CachedFile",
    "CivitaiSource",
    "HuggingFaceCache",
    "HuggingFaceSource",
    "RemoteSources",
    "RequestsHubClient",
    "Selection",
    "parse_source",
    "select_files",
]
