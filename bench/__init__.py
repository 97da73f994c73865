"""Benchmarks: each is one command that prints a table; figures are ratios within one run."""
