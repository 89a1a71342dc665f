"""Fetching files over HTTP so that they arrive whole, checked and at most once."""
