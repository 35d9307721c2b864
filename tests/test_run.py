"""run.py: what it says when it cannot start, when it installs anew, and what the lock files promise."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import run

LOCKS = sorted(run.ROOT.glob("requirements*.lock"))


def start(*arguments: str, root: Path = run.ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run run.py as a person does, and wait for it."""
    return subprocess.run(
        [sys.executable, str(root / "run.py"), *arguments],
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def refusal_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence a refused start shows."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """run.py and the lock files alone, in a folder with a space and Chinese characters in its name."""
    root = tmp_path / "阳江 投票"
    root.mkdir()
    for path in [run.ROOT / "run.py", *LOCKS]:
        shutil.copy(path, root)
    return root


@pytest.fixture
def venv(tmp_path: Path) -> run.Venv:
    """A place for a .venv, with lock files that pin nothing, so that installing them needs no network."""
    root = tmp_path / "阳江 投票"
    root.mkdir()
    for name in ("requirements.lock", "requirements-test.lock"):
        (root / name).write_text("")
    return run.Venv(root)


def test_help_names_every_option() -> None:
    done = start("--help")
    assert done.returncode == 0
    for word in ("--port", "--fresh", "--with-voters", "run.py test", "Ctrl-C"):
        assert word in done.stdout


def test_an_unknown_option_is_refused() -> None:
    done = start("--prot", "8000")
    assert done.returncode == 2
    assert "--prot" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal_of(start("--port", str(port)))
    assert f"Port {port} is in use" in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999999999"])
def test_an_impossible_port_is_one_sentence(port: str) -> None:
    assert "is not a port" in refusal_of(start(f"--port={port}"))


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_without_the_venv_module_it_says_what_to_install(copy: Path, tmp_path: Path, module: str) -> None:
    # A module that cannot be imported stands in front of the real one, as on a Debian without python3-venv.
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{module}.py").write_text("raise ImportError")
    (tmp_path / "empty").mkdir()
    said = refusal_of(start("test", root=copy, PYTHONPATH=str(hidden), PATH=str(tmp_path / "empty")))
    assert "no venv module" in said
    assert f"sudo apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in said
    assert not (copy / ".venv").exists()


def test_a_file_in_the_place_of_venv_is_one_sentence(copy: Path) -> None:
    (copy / ".venv").write_text("")
    assert "is not a folder" in refusal_of(start("test", root=copy))


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    # Nobody, root included, can make a file in /proc; elsewhere an ordinary user's read-only folder does it.
    folder = Path("/proc/self") if os.getuid() == 0 else tmp_path
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(run.Refusal, match="cannot be written to") as refusal:
            run.check_folder(folder)
    finally:
        tmp_path.chmod(0o755)
    assert "copy the project" in str(refusal.value)
    run.check_folder(tmp_path)


def test_a_venv_is_made_once_and_anew_when_it_must(venv: run.Venv) -> None:
    venv.bring_up_to_date(["requirements.lock"])
    assert subprocess.run([str(venv.python), "-c", ""]).returncode == 0
    marker = venv.folder / "still-the-same"
    marker.touch()

    venv.bring_up_to_date(["requirements.lock"])
    assert marker.exists(), "nothing changed, and it was made anew"

    venv.bring_up_to_date(["requirements-test.lock"])
    assert marker.exists(), "the tests' packages are added to what is there"
    written = venv.stamp.stat().st_mtime_ns
    venv.bring_up_to_date(["requirements.lock"])
    assert venv.stamp.stat().st_mtime_ns == written, "going back to running installs nothing"

    (venv.root / "requirements.lock").write_text("# other pins\n")
    venv.bring_up_to_date(["requirements.lock"])
    assert not marker.exists(), "other pins, and the old packages were kept"


def test_a_stamp_is_believed_only_when_everything_is_as_it_was(venv: run.Venv) -> None:
    venv.python.parent.mkdir(parents=True)
    venv.python.symlink_to(sys.executable)
    locks = {"requirements.lock": venv.hash_of("requirements.lock")}
    good = {"python": venv.kind(), "locks": locks}
    venv.stamp.write_text(json.dumps(good))
    assert venv.read_stamp() == locks

    for bad in (
        good | {"python": "CPython 3.9 x86_64"},
        good | {"locks": {"requirements.lock": "0" * 64}},
        good | {"locks": {"removed.lock": "0" * 64}},
        good | {"locks": []},
        {},
        [],
        "half",
    ):
        venv.stamp.write_text(json.dumps(bad))
        assert venv.read_stamp() == {}, bad
    venv.stamp.write_text('{"python": "CPy')
    assert venv.read_stamp() == {}
    venv.stamp.write_text(json.dumps(good))
    venv.python.unlink()
    assert venv.read_stamp() == {}, "its python is gone"


def test_an_interrupted_installation_is_made_anew(venv: run.Venv) -> None:
    venv.folder.mkdir()
    (venv.folder / "half").touch()
    venv.bring_up_to_date(["requirements.lock"])
    assert not (venv.folder / "half").exists()
    assert venv.read_stamp()


def test_a_package_without_its_hash_is_not_installed(venv: run.Venv, capsys: pytest.CaptureFixture[str]) -> None:
    (venv.root / "requirements.lock").write_text("flask==3.1.3\n")
    with pytest.raises(run.Refusal, match="could not be installed"):
        venv.bring_up_to_date(["requirements.lock"])
    assert "hash" in capsys.readouterr().out
    assert venv.read_stamp() == {}


def pins(lock: Path) -> dict[str, str]:
    """Name to version of everything a lock file pins."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_have_a_hash_for_everything_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    assert "//" not in text
    assert not re.search(r"^-", text, re.MULTILINE), "an option, such as an index address"
    requirements = re.sub(r" *\\\n *", " ", text).splitlines()
    assert len(requirements) == len(pins(lock)) > 0
    for requirement in requirements:
        assert re.fullmatch(r"[a-z0-9.-]+==[^\s;]+( ; [^-]+?)?( --hash=sha256:[0-9a-f]{64})+", requirement), requirement


def test_the_lock_files_agree_with_each_other_and_with_pyproject() -> None:
    project = tomllib.loads((run.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = pins(run.ROOT / "requirements.lock")
    testing = pins(run.ROOT / "requirements-test.lock")
    node = pins(run.ROOT / "requirements-node.lock")
    assert runtime.items() <= testing.items()

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=; ]", line)[0].lower() for line in requirements}

    assert names(project["dependencies"]) <= runtime.keys()
    assert names(project["optional-dependencies"]["test"]) <= testing.keys()
    assert names(project["optional-dependencies"]["node"]) == node.keys()


def test_the_front_end_lock_has_a_hash_for_everything_and_no_addresses() -> None:
    text = (run.ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((run.ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert packages[""]["devDependencies"] == wanted
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
