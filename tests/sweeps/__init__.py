"""Sweeps over more cases than a suite should run: a sample of each is a test, the whole a command."""
