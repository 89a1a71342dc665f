"""Measurements against other programs, in turns and in one run; `make bench` prints the table."""
