"""Benchmarks against named peers, which take turns in the same run. Each module writes the page of its name."""
