"""Photos in a zip, matched to candidates by the number their names begin with: 003.jpg, 3.png, "03 王家.jpg".

Nothing is unpacked to disk, and no name of the zip ever becomes a path.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from voting.rules.candidate_errors import ChangedMeanwhile, UploadRefused
from voting.rules.errors import PhotoRefused
from voting.services.catalogue import CandidateView
from voting.services.photos import MOST_BYTES, check_photo, prepare_photo
from voting.services.trail import write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import bump_version, lock_by_slug
from voting.storage.candidates import list_candidates, set_photo

MOST_FILES = 2_000
MOST_ZIP = 200_000_000
#: photos do not shrink in a zip: what grows to more than this was made to
MOST_UNPACKED = 1_000_000_000
_NUMBER = re.compile(r"(?:第|[Nn][Oo]\.?)?\s*0*([1-9][0-9]{0,6})(?![0-9])")
#: what systems put into a zip by themselves
_LITTER = re.compile(r"(?:^|/)(?:__MACOSX/|\.(?!\.)|Thumbs\.db$|desktop\.ini$)")


@dataclass(frozen=True, slots=True)
class Match:
    """A file of the zip and its candidate.

    ``problem``: path, number, unknown, double, locked, bytes, pixels or format.
    """

    file: str
    candidate: CandidateView | None = None
    problem: str = ""


def match_photos(path: Path, by_number: Mapping[int, CandidateView]) -> list[Match]:
    """What belongs to whom, in the order of the zip. Raises UploadRefused when this is no zip, or too much of one."""
    with _opened(path) as package:
        seen: set[int] = set()
        return [_match(package, part, by_number, seen) for part in _files(package)]


def store_matching(
    slug: str, path: Path, by_number: Mapping[int, CandidateView], seen: int, progress: Callable[[int, int], None]
) -> tuple[int, list[Match]]:
    """Store every photo that matches; how many, and the files that were left out.

    ``seen`` is the version of the campaign that ``by_number`` is of. Raises ChangedMeanwhile, UploadRefused.
    """
    matches = match_photos(path, by_number)
    names: dict[int, str] = {}
    left = [match for match in matches if match.problem]
    with _opened(path) as package:
        for done, (part, match) in enumerate(zip(_files(package), matches, strict=True)):
            progress(done, len(matches))
            if match.candidate is None or match.problem:
                continue
            try:
                # Files first: a photo that nobody names is harmless.
                names[match.candidate.id] = prepare_photo(package.read(part))
            except PhotoRefused as refused:
                left.append(Match(match.file, match.candidate, refused.problem))
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        if campaign.version != seen:
            raise ChangedMeanwhile
        changed = 0
        for row in list_candidates(session, campaign.id):
            name = names.get(row.id)
            if name and name != row.photo:
                before, after = {"photo": row.photo}, {"photo": name}
                write_entry(session, "candidate.photo", str(row.number), slug, before=before, after=after)
                set_photo(session, row.id, name)
                changed += 1
        if changed:
            bump_version(session, campaign.id)
    return len(names), left


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        package = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UploadRefused("kind") from error
    parts = package.infolist()
    problem = ""
    if len(parts) > MOST_FILES:
        problem = "files"
    elif sum(part.file_size for part in parts) > MOST_UNPACKED:
        problem = "unpacked"
    elif not any(True for _ in _files(package)):
        problem = "empty"
    if problem:
        package.close()
        raise UploadRefused(problem, MOST_FILES if problem == "files" else 0)
    return package


def _files(package: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (part for part in package.infolist() if not part.is_dir() and not _LITTER.search(part.filename))


def _match(
    package: zipfile.ZipFile, part: zipfile.ZipInfo, by_number: Mapping[int, CandidateView], seen: set[int]
) -> Match:
    name = _name(part)
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name:
        return Match(name, None, "path")
    found = _NUMBER.match(PurePosixPath(name.replace("\\", "/")).name)
    if found is None:
        return Match(name, None, "number")
    number = int(found[1])
    candidate = by_number.get(number)
    if candidate is None:
        return Match(name, None, "unknown")
    if number in seen:
        return Match(name, candidate, "double")
    seen.add(number)
    if part.flag_bits & 1:
        return Match(name, candidate, "locked")
    # Never more is unpacked than the part says it has.
    if part.file_size > MOST_BYTES:
        return Match(name, candidate, "bytes")
    try:
        check_photo(package.read(part))
    except PhotoRefused as refused:
        return Match(name, candidate, refused.problem)
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, EOFError):
        return Match(name, candidate, "format")
    return Match(name, candidate)


def _name(part: zipfile.ZipInfo) -> str:
    """The name as its author wrote it: Windows in China writes GBK and does not say so."""
    if not part.flag_bits & 0x800:
        try:
            return part.filename.encode("cp437").decode("gb18030")
        except UnicodeError:
            pass
    return part.filename
