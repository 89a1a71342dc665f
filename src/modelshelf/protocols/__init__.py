"""The seams: what a stage needs of the world, so that another world can be given to it."""

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
