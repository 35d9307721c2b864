"""The documents are true: commands, options, files, links, words, settings and codes exist; example rules could open.

README's own lines are run in test_readme.py.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup, ScriptInfo
from granian.cli import cli as granian

import config
import run
from tests.documents import FLASK, ROOT, blocks, read, shell_lines, spoken
from tests.world import application
from voting.identity.device import PROVIDER as DEVICE
from voting.rules.campaign import rules_hash
from voting.rules.checklist import issues_before_opening
from voting.rules.errors import Refusal
from voting.rules.rule_text import KNOWN, parse_rules, write_rules
from voting.services import metering
from voting.web.refusals import API_STATUS, DESK_STATUS, HTTP_CODES

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
UNITS = sorted((ROOT / "deploy").glob("*.service"))
#: made by commands, or by the reader
NOT_IN_THE_REPOSITORY = re.compile(r"\.venv|instance/|rules\.json|samples/|node_modules/")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command a document names, as words: those in blocks, and `flask …` and `python3 run.py …` in prose."""
    for path in DOCS:
        text = path.read_text("utf-8")
        told = [each for each in spoken(text) if re.match(r"flask \w|python3 run\.py", each)]
        for line in [*shell_lines(text), *told]:
            if re.match(r"flask |python3 |\.venv/", line):
                yield path.name, shlex.split(line)
    for unit in UNITS:
        line = re.search(r"^ExecStart=/srv/voting/(.*)$", unit.read_text("utf-8"), re.MULTILINE)
        assert line, unit
        yield unit.name, shlex.split(line[1])


def flask_commands() -> Iterator[tuple[str, list[str]]]:
    for where, words in commands():
        if words[0] == "flask":
            yield where, words[1:]
        elif words[: len(FLASK)] == FLASK:
            yield where, words[len(FLASK) :]


def test_there_is_something_to_check() -> None:
    assert len(DOCS) > 15
    assert len(list(flask_commands())) > 30
    assert len(UNITS) == 3


def test_flask_commands_exist(lite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")  # what the group would leave behind
    group, info = FlaskGroup(create_app=lambda: lite_app), ScriptInfo(create_app=lambda: lite_app)
    helped = set()
    for where, words in flask_commands():
        command: click.Command = group
        path: list[str] = []
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            # Closed again: looking up a command leaves its application active for whoever comes next.
            with click.Context(command, obj=info) as looking:
                found = command.get_command(looking, words[0])
            assert found is not None, f"{where}: flask {' '.join([*path, words[0]])}"
            command, path, words = found, [*path, words[0]], words[1:]
        if "--help" not in words:
            context = click.Context(command, obj=info)
            command.make_parser(context).parse_args(list(words))  # raises for an option that does not exist
        helped.add(tuple(path))
    for path_of in sorted(helped):
        shown = CliRunner().invoke(group, [*path_of, "--help"], obj=info)
        assert shown.exit_code == 0, (path_of, shown.output)
        assert "Usage:" in shown.output


def test_other_programs_and_their_options_exist() -> None:
    known = {option for each in granian.params if isinstance(each, click.Option) for option in each.opts}
    known |= {option for each in granian.params for option in each.secondary_opts}
    for where, words in commands():
        if words[:2] == ["python3", "run.py"]:
            if words[2:3] != ["test"]:
                run.parse([word for word in words[2:] if word != "--help"])
        elif words[1:2] == ["-m"] and words[2] not in ("flask", "venv", "pip"):
            assert importlib.util.find_spec(words[2]), f"{where}: {words[2]}"
            if words[2] == "granian":
                assert {word for word in words[3:] if word.startswith("-")} <= known, where
    for option in re.findall(r"`(--[\w-]+)`", read("README.md") + read("README.zh-CN.md")):
        run.parse([option])


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_images_and_files_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), f"{path.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{path.name} links to {target}"
    tree = [word for block in blocks(text, "text") for word in re.findall(r"(?<!\S)[\w/]+(?:/|\.py)(?!\S)", block)]
    named = [word for each in spoken(text) for word in each.split()]
    files = [
        each for each in named if re.fullmatch(r"[\w.-][\w./-]*(?:/|\.(?:py|md|lua|csv|conf|service|lock|json))", each)
    ]
    for name in tree + files:
        if not NOT_IN_THE_REPOSITORY.match(name):
            assert (ROOT / name).exists(), f"{path.name} names {name}"


def test_pictures_are_small_and_whole() -> None:
    folder = ROOT / "docs" / "images"
    pictures = sorted(path for path in folder.rglob("*") if path.is_file())
    assert {picture.suffix for picture in pictures} == {".png", ".svg"}
    shown = "".join(path.read_text("utf-8") for path in DOCS)
    for picture in pictures:
        assert picture.stat().st_size < 300_000, picture.name
        assert f"images/{picture.relative_to(folder).as_posix()}" in shown, f"{picture.name} is shown nowhere"
        if picture.suffix == ".svg":
            ElementTree.parse(picture)
        else:
            assert picture.read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("one", "other"), [("README.md", "README.zh-CN.md"), ("docs/organizers.md", "docs/organizers.zh-CN.md")]
)
def test_both_languages_show_the_same_commands(one: str, other: str) -> None:
    assert shell_lines(read(one)) == shell_lines(read(other)) != []
    assert blocks(read(one), "json") == blocks(read(other), "json")
    assert read(one).count("\n## ") == read(other).count("\n## ")


def test_words_of_the_glossary_are_used() -> None:
    table = read("docs/architecture.md").partition("## Words")[2]
    words = re.findall(r"^\| [^`|]+ \| `(\w+)` \|", table, re.MULTILINE)
    assert len(words) > 15
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "voting").rglob("*.py"))
    for word in words:
        assert re.search(rf"\b{word}s?\b", code), word


def test_every_setting_is_in_operations() -> None:
    source = read("config.py")
    settings = set(re.findall(r"^    ([A-Z_]{5,})  ", config.__doc__ or "", re.MULTILINE))
    settings |= set(re.findall(r'environ\.get\("([A-Z_]+)"\)', source)) | set(config.Production.NEEDED)
    settings |= set(re.findall(r'environ\.get\("([A-Z_]+)"', Path(metering.__file__).read_text("utf-8")))
    settings |= {name for needed, optional in config.SIGN_INS.values() for name in (*needed, *optional)}
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/operations.md"), re.MULTILINE))
    assert len(settings) > 8
    assert told == settings


def test_every_figure_in_operations_exists() -> None:
    source = Path(metering.__file__).read_text("utf-8")
    told = set(re.findall(r"`(voting_\w+)`", read("docs/operations.md")))
    assert told == set(re.findall(r'"(voting_(?:ballots|campaign|refusals|box|recording)\w*)"', source))


def test_every_refusal_is_in_the_api_document() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", read("docs/api.md"), re.MULTILINE)
    told = {code: int(status) for code, status, _ in rows}
    assert len(told) == len(rows)
    assert told == {refusal.code: status for refusal, status in API_STATUS.items()}
    assert API_STATUS.keys() | DESK_STATUS.keys() == set(Refusal.__subclasses__())
    of_http = re.findall(r"\b(\d{3}) `(\w+)`", read("docs/api.md"))
    assert {int(status): code for status, code in of_http} == HTTP_CODES


def test_every_api_address_exists(lite_app: Flask) -> None:
    told = re.findall(r"^\| `(GET|POST) (/\S+)` \|", read("docs/api.md"), re.MULTILINE)
    there = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in lite_app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.rule.startswith("/api/v1/")
    }
    assert set(told) == there


# --- the rules that organizers copy -----------------------------------------------------------------------------


def example_rules() -> list[str]:
    """The whole rule set of the organizers' document, and the others laid over it."""
    first, *others = [json.loads(block) for block in blocks(read("docs/organizers.md"), "json")]
    return [json.dumps(first | each) for each in ({}, *others)]


@pytest.mark.parametrize("text", example_rules())
def test_example_rules_could_open(text: str) -> None:
    rules = parse_rules(text)
    plenty = {award.key: 100 for award in rules.awards}
    grouped = {group.key: 20 for group in rules.groups()}
    assert issues_before_opening(rules, plenty, grouped, rules.opens_ms - 1, frozenset({DEVICE})) == []


def test_every_field_of_a_rule_set_is_explained() -> None:
    for name in ("docs/organizers.md", "docs/organizers.zh-CN.md"):
        told = set(spoken(read(name)))
        for fields in KNOWN.values():
            assert set(fields.split()) <= told, name


def rules_of_today(**fields: object) -> str:
    """The organizers' rule set with its window moved to today."""
    today = datetime.now(UTC)
    window = {
        "opens_at": (today - timedelta(hours=1)).isoformat(),
        "closes_at": (today + timedelta(days=9)).isoformat(),
    }
    return json.dumps(json.loads(example_rules()[0]) | window | fields)


def walk(app: Flask, lines: list[str], folder: Path, rules: str) -> str:
    """Run a document's commands in a folder with that rules.json; what they print."""
    (folder / "rules.json").write_text(rules, "utf-8")
    (folder / "voting").symlink_to(ROOT / "voting")
    said = ""
    with pytest.MonkeyPatch.context() as there:
        there.chdir(folder)
        for line in lines:
            done = app.test_cli_runner().invoke(args=shlex.split(line)[len(FLASK) :])
            assert done.exit_code == 0, (line, done.output)
            said += done.output
    return said


def test_the_organizers_way_from_rules_to_result(lite_app: Flask, tmp_path: Path) -> None:
    """Every command of the document in its order."""
    rules = rules_of_today()
    said = walk(lite_app, shell_lines(read("docs/organizers.md")), tmp_path, rules)
    assert rules_hash(write_rules(parse_rules(rules))) in said
    assert "best-2026: published" in said


def test_trying_out_codes_by_text_message(sqlite_url: str, valkey_url: str, tmp_path: Path, translations: None) -> None:
    """The way of the identity document, as far as a voter who is asked for a code."""
    setting, *lines = shell_lines(read("docs/identity.md"))
    name, _, value = setting.removeprefix("export ").partition("=")
    with application(sqlite_url, valkey_url, tmp_path, **{name: value}) as app:
        said = walk(app, lines, tmp_path, rules_of_today(identity=["sms"]))
        assert "codes-2026: the box is up" in said
        browser = app.test_client()
        chosen = browser.get("/api/v1/campaigns/codes-2026/candidates").json["candidates"][0]["id"]
        assert f"/c/codes-2026/sign-in/sms?choice={chosen}" in browser.get(f"/c/codes-2026/review?choice={chosen}").text
