"""ruff and mypy, with the settings of pyproject.toml, find nothing."""

import subprocess
import sys

import config


def found(*tool: str) -> str:
    """What a tool complains about; empty when it is content."""
    done = subprocess.run([sys.executable, "-m", *tool], cwd=config.ROOT, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert found("ruff", "check", "--output-format=concise", ".") == ""


def test_mypy_finds_nothing() -> None:
    assert found("mypy") == ""
