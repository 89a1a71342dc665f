"""The composition root: everything above is put together here, once, by hand."""

from modelshelf.manager.install_service import ModelInstallService
from modelshelf.manager.normalized import NormalizedModelManager, normalized_model_manager

__all__ = ["ModelInstallService", "NormalizedModelManager", "normalized_model_manager"]
