"""Runnable comparisons and measurements; nothing timed lives in tests/."""
