"""Metadata: what is written in and beside a model file, read as the untrusted text that it is."""

from modelshelf.metadata.reading import read_claims, read_metadata

__all__ = ["read_claims", "read_metadata"]
