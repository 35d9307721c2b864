"""Runnable comparisons: `python -m benchmarks.vote_path --help`. Nothing timed lives in tests/, nothing tested here."""
