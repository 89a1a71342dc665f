"""A library for diffusion models: stores what they share once, gives them back byte for byte.

Start with `normalized_model_manager(Settings.get_config())`. Names are fetched when they are first
used, so that `import modelshelf` and `shelf --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.errors import ModelshelfError
    from modelshelf.manager import (
        ModelInstallService,
        NormalizedModelManager,
        normalized_model_manager,
    )
    from modelshelf.schema.digest import Digest
    from modelshelf.schema.identity import Identity
    from modelshelf.schema.model import (
        AddOutcome,
        ExportOutcome,
        FileInfo,
        ModelInfo,
        PartInfo,
        TrashedModel,
    )
    from modelshelf.schema.model_source import (
        CivitaiModelSource,
        HFModelSource,
        LocalModelSource,
        URLModelSource,
    )
    from modelshelf.schema.progress import Progress
    from modelshelf.schema.report import GarbageReport, Usage, VerifyReport
    from modelshelf.schema.taxonomy import (
        BaseModelType,
        ModelFormat,
        ModelRepoVariant,
        ModelType,
        ModelVariantType,
        SchedulerPredictionType,
        SubModelType,
    )
    from modelshelf.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "AddOutcome",
    "BaseModelType",
    "CivitaiModelSource",
    "Digest",
    "ExportOutcome",
    "FileInfo",
    "GarbageReport",
    "HFModelSource",
    "Identity",
    "LocalModelSource",
    "ModelFormat",
    "ModelInfo",
    "ModelInstallService",
    "ModelRepoVariant",
    "ModelType",
    "ModelVariantType",
    "ModelshelfError",
    "NormalizedModelManager",
    "PartInfo",
    "Progress",
    "SchedulerPredictionType",
    "Settings",
    "SubModelType",
    "TrashedModel",
    "URLModelSource",
    "Usage",
    "VerifyReport",
    "__version__",
    "normalized_model_manager",
]

_HOMES = {
    "AddOutcome": "modelshelf.schema.model",
    "BaseModelType": "modelshelf.schema.taxonomy",
    "CivitaiModelSource": "modelshelf.schema.model_source",
    "Digest": "modelshelf.schema.digest",
    "ExportOutcome": "modelshelf.schema.model",
    "FileInfo": "modelshelf.schema.model",
    "GarbageReport": "modelshelf.schema.report",
    "HFModelSource": "modelshelf.schema.model_source",
    "Identity": "modelshelf.schema.identity",
    "LocalModelSource": "modelshelf.schema.model_source",
    "ModelFormat": "modelshelf.schema.taxonomy",
    "ModelInfo": "modelshelf.schema.model",
    "ModelInstallService": "modelshelf.manager",
    "ModelRepoVariant": "modelshelf.schema.taxonomy",
    "ModelType": "modelshelf.schema.taxonomy",
    "ModelVariantType": "modelshelf.schema.taxonomy",
    "ModelshelfError": "modelshelf.errors",
    "NormalizedModelManager": "modelshelf.manager",
    "PartInfo": "modelshelf.schema.model",
    "Progress": "modelshelf.schema.progress",
    "SchedulerPredictionType": "modelshelf.schema.taxonomy",
    "Settings": "modelshelf.settings",
    "SubModelType": "modelshelf.schema.taxonomy",
    "TrashedModel": "modelshelf.schema.model",
    "URLModelSource": "modelshelf.schema.model_source",
    "Usage": "modelshelf.schema.report",
    "VerifyReport": "modelshelf.schema.report",
    "normalized_model_manager": "modelshelf.manager",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
