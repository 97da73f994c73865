"""Fuzzing of every parser: `python -m tests.fuzz --seconds 3600`. docs/fuzzing.md says how it works."""
