"""What the browser gets: hashed names, a manifest the pages can rely on, and translations that can be read."""

import gettext
import json
from pathlib import Path

import pytest

from voting import assets


def test_the_manifest_names_files_that_exist_and_builds_only_when_something_changed() -> None:
    assets.build()
    manifest = assets.DIST / "manifest.json"
    names = json.loads(manifest.read_text(encoding="utf-8"))
    assert {"citizen.css", "citizen.js"} <= names.keys()
    for built in names.values():
        assert (assets.DIST / built).is_file()
    for entry in ("citizen.css", "citizen.js"):
        assert names[entry] != entry, "a name without a hash would be served from old caches"
    written = manifest.stat().st_mtime_ns
    assets.build()
    assert manifest.stat().st_mtime_ns == written


def test_the_stamp_sees_contents_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    first, second = tmp_path / "一.css", tmp_path / "二.css"
    seen = set()
    for one, two in (("ab", "c"), ("a", "bc"), ("c", "ab"), ("", "abc")):
        first.write_text(one)
        second.write_text(two)
        seen.add(assets.digest([second, first]))
        assert assets.digest([first, second]) in seen
    second.rename(tmp_path / "三.css")
    seen.add(assets.digest([first, tmp_path / "三.css"]))
    assert len(seen) == 5


def translations(folder: Path, text: str) -> Path:
    source = folder / "en" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n' + text, encoding="utf-8")
    return source


def test_translations_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "TRANSLATIONS", tmp_path)
    source = translations(tmp_path, 'msgid "投票"\nmsgstr "Vote"\n\n#, fuzzy\nmsgid "排行榜"\nmsgstr "unsure"\n')
    assets.compile_translations()
    with source.with_suffix(".mo").open("rb") as binary:
        catalogue = gettext.GNUTranslations(binary)
    assert catalogue.gettext("投票") == "Vote"
    assert catalogue.gettext("排行榜") == "排行榜", "a fuzzy guess is not shown to anyone"
    written = source.with_suffix(".mo").stat().st_mtime_ns
    assets.compile_translations()
    assert source.with_suffix(".mo").stat().st_mtime_ns == written


def test_a_broken_translation_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "TRANSLATIONS", tmp_path)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    translations(tmp_path, "<<<<<<< a merge that went wrong\n")
    with pytest.raises(assets.BuildError, match="is not a translation file"):
        assets.compile_translations()
