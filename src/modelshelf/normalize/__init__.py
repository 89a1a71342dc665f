"""How a model as it came becomes parts that others can share."""

from modelshelf.normalize.detail import identity_detail, override_in
from modelshelf.normalize.plan import model_name_of, plan_import

__all__ = ["identity_detail", "model_name_of", "override_in", "plan_import"]
