"""Models as the Civitai stand-in keeps them, and the documents that its API makes of them.

The shapes are those of https://developer.civitai.com/docs/api/public-rest.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from blake3 import blake3

__all__ = ["HostedModel", "HostedModelFile", "HostedVersion", "file_document", "version_document"]


@dataclass
class HostedModelFile:
    """One file of a version."""

    id: int
    path: Path
    name: str = ""
    """As the site calls it; the file's own name where empty."""
    type: str = "Model"
    """`Model`, `Pruned Model`, `VAE`, `Config`, `Training Data`."""
    format: str = "SafeTensor"
    size: str | None = "full"
    """`full` or `pruned`."""
    fp: str | None = "fp16"
    primary: bool = True
    hashes_are_known: bool = True
    """False before the site has hashed it: the API says `{}` then."""

    @cached_property
    def hashes(self) -> dict[str, str]:
        """What the site computed, in upper case as it writes them."""
        content = self.path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest().upper()
        return {
            "AutoV2": sha256[:10],
            "SHA256": sha256,
            "CRC32": f"{zlib.crc32(content):08X}",
            "BLAKE3": blake3(content).hexdigest().upper(),
        }


@dataclass
class HostedVersion:
    """One version of a model. Its fields decide how downloads are answered."""

    id: int
    files: list[HostedModelFile]
    name: str = "v1.0"
    base_model: str = "SD 1.5"
    trained_words: tuple[str, ...] = ("tiny style",)
    previews: tuple[Path, ...] = ()
    is_published: bool = True
    early_access_ends: datetime | None = None
    """Until then, 403 with the deadline."""
    needs_login: bool = False
    """401 without a token."""
    is_blocked: bool = False
    """403 whatever the token."""
    is_archived: bool = False
    """410, and no download URLs in the API."""


@dataclass
class HostedModel:
    """A model's page."""

    id: int
    name: str
    versions: list[HostedVersion]
    type: str = "LORA"
    creator: str = "acme"
    tags: tuple[str, ...] = ("style", "tiny")
    allow_commercial_use: tuple[str, ...] = ("Image", "Rent")
    mode: str | None = None
    """None, `Archived` or `TakenDown`."""
    licence: dict[str, bool] = field(
        default_factory=lambda: {
            "allowNoCredit": True,
            "allowDerivatives": False,
            "allowDifferentLicense": True,
        }
    )

    def document(self, site: str, files: str) -> dict[str, object]:
        """Return it as `GET /api/v1/models/{id}` does."""
        versions = [
            version_document(self, version, site, files)
            for version in self.versions
            if version.is_published
        ]
        return {
            "id": self.id,
            "name": self.name,
            "description": "<p>Small but genuine.</p>",
            "type": self.type,
            "nsfw": False,
            "poi": False,
            "minor": False,
            **({"mode": self.mode} if self.mode else {}),
            **self.licence,
            "allowCommercialUse": list(self.allow_commercial_use),
            "tags": list(self.tags),
            "creator": {"username": self.creator, "image": None},
            "modelVersions": versions,
        }


def version_document(
    model: HostedModel, version: HostedVersion, site: str, files: str
) -> dict[str, object]:
    """Return it as `GET /api/v1/model-versions/{id}` does."""
    has_urls = not version.is_archived and model.mode != "Archived"
    ends = version.early_access_ends
    return {
        "id": version.id,
        "modelId": model.id,
        "name": version.name,
        "air": f"urn:air:sd1:{model.type.lower()}:civitai:{model.id}@{version.id}",
        "baseModel": version.base_model,
        "baseModelType": "Standard",
        "trainedWords": list(version.trained_words),
        "status": "Published",
        "availability": "EarlyAccess" if ends else "Public",
        "usageControl": "Download",
        "publishedAt": "2026-01-02T03:04:05.000Z",
        "earlyAccessEndsAt": ends and ends.isoformat().replace("+00:00", "Z"),
        "description": "<p>First.</p>",
        "model": {"name": model.name, "type": model.type, "nsfw": False, "poi": False},
        "files": [file_document(version, one, site, has_url=has_urls) for one in version.files],
        "images": [
            {
                "url": f"{files}/preview/{path.name}",
                "nsfwLevel": 1,
                "width": 4,
                "height": 4,
                "type": "image",
                "meta": {"prompt": "tiny style"},
            }
            for path in version.previews
            if model.mode != "TakenDown"
        ],
        **({"downloadUrl": f"{site}/api/download/models/{version.id}"} if has_urls else {}),
    }


def file_document(
    version: HostedVersion, file: HostedModelFile, site: str, *, has_url: bool
) -> dict[str, object]:
    """Return it as an entry of `files`. Its URL may answer 404: only `fileId` is sure."""
    kinds = {"type": file.type, "format": file.format, "size": file.size, "fp": file.fp}
    query = "&".join(f"{name}={value}" for name, value in kinds.items() if value)
    url = f"{site}/api/download/models/{version.id}?{query}"
    return {
        "id": file.id,
        "name": file.name or file.path.name,
        "type": file.type,
        "sizeKB": file.path.stat().st_size / 1024,
        "metadata": {"format": file.format, "size": file.size, "fp": file.fp},
        "pickleScanResult": "Success",
        "virusScanResult": "Success",
        "scannedAt": "2026-01-02T03:04:05.000Z",
        "hashes": file.hashes if file.hashes_are_known else {},
        **({"primary": True} if file.primary else {}),
        **({"downloadUrl": url} if has_url else {}),
    }
