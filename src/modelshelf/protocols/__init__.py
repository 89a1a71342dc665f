"""The seams: what a stage needs of the world, so that another world can be given to it.

Names are fetched when they are first used: what moves bytes does not wait for the classes of records.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.protocols.blob_store import BlobEntry, BlobStore, PartWriter
    from modelshelf.protocols.clock import Clock
    from modelshelf.protocols.disk import Disk
    from modelshelf.protocols.hub_client import HubClient
    from modelshelf.protocols.model_records import ConfigChange, ConfigsToAdd, ModelRecords
    from modelshelf.protocols.record_store import LeaseRecords, RecordStore, ViewRecords
    from modelshelf.protocols.transport import Address, Answer, PeerCheck, Request, Transport

__all__ = [
    "Address",
    "Answer",
    "BlobEntry",
    "BlobStore",
    "Clock",
    "ConfigChange",
    "ConfigsToAdd",
    "Disk",
    "HubClient",
    "LeaseRecords",
    "ModelRecords",
    "PartWriter",
    "PeerCheck",
    "RecordStore",
    "Request",
    "Transport",
    "ViewRecords",
]

_HOMES = {
    "Address": "modelshelf.protocols.transport",
    "Answer": "modelshelf.protocols.transport",
    "BlobEntry": "modelshelf.protocols.blob_store",
    "BlobStore": "modelshelf.protocols.blob_store",
    "Clock": "modelshelf.protocols.clock",
    "ConfigChange": "modelshelf.protocols.model_records",
    "ConfigsToAdd": "modelshelf.protocols.model_records",
    "Disk": "modelshelf.protocols.disk",
    "HubClient": "modelshelf.protocols.hub_client",
    "LeaseRecords": "modelshelf.protocols.record_store",
    "ModelRecords": "modelshelf.protocols.model_records",
    "PartWriter": "modelshelf.protocols.blob_store",
    "PeerCheck": "modelshelf.protocols.transport",
    "RecordStore": "modelshelf.protocols.record_store",
    "Request": "modelshelf.protocols.transport",
    "Transport": "modelshelf.protocols.transport",
    "ViewRecords": "modelshelf.protocols.record_store",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(home), name)
