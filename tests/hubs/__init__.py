"""Stand-ins for the hubs: real HTTP servers on loopback, for tests and for examples in documents.

A hub and its file host are two origins (two ports). Both keep one log of method, path, `Range`,
`If-Range` and whether credentials came; the file host counts the bytes that left. Models come from
`modelshelf.testing.tiny`.
"""

from tests.hubs.cdn import FileHost
from tests.hubs.civitai import CivitaiSite, civitai_site
from tests.hubs.civitai_models import HostedModel, HostedModelFile, HostedVersion
from tests.hubs.hugging_face import STRANGER, TOKEN, HuggingFaceHub, hugging_face_hub
from tests.hubs.official_client import download_snapshot
from tests.hubs.repository import HostedFile, Repository
from tests.hubs.server import Answer, Exchange, Origin, Request
from tests.hubs.xet import store_in_xet

__all__ = [
    "STRANGER",
    "TOKEN",
    "Answer",
    "CivitaiSite",
    "Exchange",
    "FileHost",
    "HostedFile",
    "HostedModel",
    "HostedModelFile",
    "HostedVersion",
    "HuggingFaceHub",
    "Origin",
    "Repository",
    "Request",
    "civitai_site",
    "download_snapshot",
    "hugging_face_hub",
    "store_in_xet",
]
