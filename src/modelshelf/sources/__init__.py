"""Sources: what a text means, and what a hub lists for it. Nothing here downloads a model."""

from modelshelf.sources.reading import parse_source

__all__ = ["parse_source"]
