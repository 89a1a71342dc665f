"""How a model as it came becomes parts that others can share."""

from modelshelf.normalize.plan import model_name_of, plan_import

__all__ = ["model_name_of", "plan_import"]
