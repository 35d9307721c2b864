"""Files that wait between an upload and its confirmation, and how far the work with them is.

Each lies in the instance folder under a name nobody can guess, bound to one account and one campaign; it is removed
after its work, and when it is old.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from flask import current_app

from voting.rules.candidate_errors import UploadNotFound, UploadRefused

#: how long a file waits, and how long its outcome can be read
KEPT_S = 4 * 3600
#: work that gave no sign for so long has died with its process
SILENT_S = 120
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits; ``about`` is what its room wants to know of it later."""

    token: str
    account: int
    slug: str
    kind: str
    name: str
    size: int
    about: dict[str, Any]

    @property
    def folder(self) -> Path:
        return uploads_folder() / self.token

    @property
    def path(self) -> Path:
        return self.folder / "file"


@dataclass(frozen=True, slots=True)
class State:
    """How far the work is. ``stage``: waiting, running, done, refused, failed or silent."""

    stage: str = "waiting"
    done: int = 0
    total: int = 0
    outcome: dict[str, Any] | None = None


def uploads_folder() -> Path:
    return Path(current_app.config["VOTING_INSTANCE"]) / "uploads"


def keep_upload(source: IO[bytes], name: str, most: int, *, account: int, slug: str, kind: str, **about: Any) -> Upload:
    """Let a file wait. Raises UploadRefused when it is empty or has more than ``most`` bytes; nothing is left of it."""
    _drop_old()
    token = secrets.token_urlsafe(24)
    folder = uploads_folder() / token
    folder.mkdir(parents=True, mode=0o700)
    try:
        size = _copy(source, folder / "file", most)
        if not size:
            raise UploadRefused("none")
        upload = Upload(token, account, slug, kind, Path(name).name[-120:], size, about)
        (folder / "about.json").write_text(json.dumps(asdict(upload), ensure_ascii=False), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return upload


def _copy(source: IO[bytes], path: Path, most: int) -> int:
    size = 0
    with path.open("wb") as out:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                raise UploadRefused("bytes", most)
            out.write(piece)
    return size


def find_upload(token: str, *, account: int, slug: str, kind: str) -> Upload:
    """The file of that token, if it is this account's and about this campaign; raises UploadNotFound."""
    if not _TOKEN.fullmatch(token):
        raise UploadNotFound
    try:
        upload = Upload(**json.loads((uploads_folder() / token / "about.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UploadNotFound from None
    if (upload.account, upload.slug, upload.kind) != (account, slug, kind):
        raise UploadNotFound
    return upload


def drop_upload(upload: Upload) -> None:
    """Remove a file and all that is known of it."""
    shutil.rmtree(upload.folder, ignore_errors=True)


def drop_file(upload: Upload) -> None:
    """Remove the file and keep what became of it."""
    upload.path.unlink(missing_ok=True)


def claim(upload: Upload) -> bool:
    """Take the work on, once: whoever presses second is told False."""
    if read_state(upload).stage in ("silent", "failed", "refused"):
        (upload.folder / "claimed").unlink(missing_ok=True)
    try:
        os.close(os.open(upload.folder / "claimed", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    except FileNotFoundError:
        raise UploadNotFound from None
    write_state(upload, State("running"))
    return True


def write_state(upload: Upload, state: State) -> None:
    """Replaced at once: nobody reads half of it."""
    draft = upload.folder / "state.new"
    try:
        draft.write_text(json.dumps(asdict(state), ensure_ascii=False), encoding="utf-8")
        draft.replace(upload.folder / "state.json")
    except FileNotFoundError:
        pass  # removed meanwhile: nobody is going to ask


def read_state(upload: Upload) -> State:
    """How far the work is; ``silent`` when it died with its process."""
    path = upload.folder / "state.json"
    try:
        state = State(**json.loads(path.read_text(encoding="utf-8")))
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return State()
    return State("silent") if state.stage == "running" and age > SILENT_S else state


def _drop_old() -> None:
    folder = uploads_folder()
    for each in folder.iterdir() if folder.is_dir() else ():
        try:
            if time.time() - each.stat().st_mtime > KEPT_S:
                shutil.rmtree(each, ignore_errors=True)
        except FileNotFoundError:
            pass  # another process was quicker
