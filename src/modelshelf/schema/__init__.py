"""Frozen nouns that every stage speaks: no I/O, no torch, nothing to configure."""
