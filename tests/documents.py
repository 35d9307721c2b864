"""Reading our own documents: their code blocks, the commands in them, and what they say in backticks."""

from __future__ import annotations

import re

import config

ROOT = config.ROOT
PYTHON = ".venv/bin/python"
FLASK = [PYTHON, "-m", "flask", "--app", "wsgi"]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def spoken(text: str) -> list[str]:
    """What stands between single backticks, outside of blocks; line breaks folded."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", prose)]


def shell_lines(text: str) -> list[str]:
    """The commands of all sh blocks, continued lines joined, comments left out."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].rstrip() for line in lines if line and not line.startswith("#")]
