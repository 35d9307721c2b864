"""The house: floors never import upwards, there is no circle, rooms stay small, words stay one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from voting.tally.scripts import ACTS, SHARED

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "voting"

#: a floor may import from lower floors and from itself, except where SIDEWAYS says no
FLOORS = {"rules": 1, "storage": 2, "tally": 2, "identity": 2, "services": 3, "web": 4}
ROOF = 5
ROOF_FILES = {"app", "cli", "launch", "processes", "checks", "simulation", "assets", "logs", "screens", "screens_hub"}
#: floors of one storey that must not know each other
SIDEWAYS = {("storage", "tally"), ("tally", "storage"), ("identity", "storage"), ("storage", "identity"),
            ("identity", "tally"), ("tally", "identity")}  # fmt: skip
LONGEST_ROOM = 400
#: what rules/ may use of the standard library is anything that does no I/O
IO_MODULES = {"os", "pathlib", "socket", "subprocess", "sqlite3", "logging", "time", "urllib", "shutil", "tempfile"}
THIRD_PARTY_FREE = "rules"


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules a file imports, and whether it does so when loaded (False: inside a function, or for types)."""

    def walk(node: ast.AST, at_load: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            )
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_load) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: imports are written in full"
                assert child.module is not None
                yield child.module, at_load
                yield from ((f"{child.module}.{alias.name}", at_load) for alias in child.names)
            yield from walk(child, at_load and not later)

    yield from walk(ast.parse(path.read_text("utf-8")), True)


def floor_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def storey_of(module: str) -> int:
    return FLOORS.get(floor_of(module), ROOF)


ALL = modules()


def test_there_is_something_to_look_at() -> None:
    assert len(ALL) > 40
    assert {floor_of(module) for module in ALL if storey_of(module) < ROOF} == set(FLOORS)


@pytest.mark.parametrize("module", sorted(ALL))
def test_no_import_goes_upwards(module: str) -> None:
    for imported, _ in imports_of(ALL[module]):
        if not imported.startswith("voting."):
            continue
        assert storey_of(imported) <= storey_of(module), f"{module} imports {imported}, which is above it"
        assert (floor_of(module), floor_of(imported)) not in SIDEWAYS, f"{module} imports {imported} beside it"


def test_there_is_no_circle() -> None:
    graph = {
        module: {name for name, at_load in imports_of(path) if at_load and name in ALL and name != module}
        for module, path in ALL.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module not in done:
            for imported in sorted(graph[module]):
                visit(imported, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("module", sorted(name for name in ALL if floor_of(name) == "rules"))
def test_rules_are_pure(module: str) -> None:
    for imported, _ in imports_of(ALL[module]):
        top = imported.split(".")[0]
        assert top == "voting" or top in {"__future__"} | STANDARD, f"{module} imports {imported}"
        assert top not in IO_MODULES, f"{module} does I/O through {imported}"


STANDARD = {
    "abc", "base64", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "hmac", "ipaddress", "itertools", "json", "math", "re", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip


def test_the_roof_is_listed() -> None:
    on_the_roof = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert on_the_roof == ROOF_FILES


@pytest.mark.parametrize("folder", ["voting", "tests", "benchmarks"])
def test_rooms_stay_small(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= LONGEST_ROOM, f"{path.relative_to(ROOT)} has {lines} lines: would two rooms be better?"


@pytest.mark.parametrize("module", sorted(ALL))
def test_every_room_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(ast.parse(ALL[module].read_text("utf-8"))), f"{module} has no docstring"


def test_there_is_no_attic() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "misc", "common", "extensions"}


def test_every_script_of_the_box_is_used() -> None:
    lua = {path.stem for path in (PACKAGE / "tally" / "lua").glob("*.lua")}
    assert lua == {*SHARED, *ACTS}
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert all(re.search(rf'run\(\s*"{act}"', sources) for act in ACTS)


@pytest.mark.parametrize("name", ["HINCRBY", "ZINCRBY", "INCR"])
def test_no_count_is_raised_outside_the_scripts(name: str) -> None:
    """Nobody can add a vote without a ballot: no code but the box's own scripts touches a tally."""
    for path in PACKAGE.rglob("*.py"):
        assert f".{name.lower()}(" not in path.read_text("utf-8").lower(), f"{path} raises a count in Redis"
    for path in (PACKAGE / "tally" / "lua").glob("*.lua"):
        assert name not in path.read_text("utf-8"), f"{path} raises a count without reading it"


def test_only_the_shared_part_writes_the_tally() -> None:
    writers = {p.name for p in (PACKAGE / "tally" / "lua").glob("*.lua") if "write_tally" in p.read_text("utf-8")}
    assert writers == {"usage.lua", "cast.lua", "replay.lua"}
