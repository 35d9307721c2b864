"""The banner of a campaign's first page: one wide picture, written anew in four widths and kept small.

Decoded and stored as photos are (``photos.py``), in another proportion. What a phone loads is at most 30 KB: the banner
is the first thing on the page that citizens open over a weak network.
"""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

from flask import current_app
from PIL import Image

from voting.rules.draft_errors import CampaignFrozen
from voting.rules.stage_errors import ChangedMeanwhile
from voting.services.catalogue import forget
from voting.services.drafting import mark_of
from voting.services.photos import FORMATS, cut, is_name, read_picture, write_files
from voting.services.trail import changed, write_entry
from voting.services.transactions import writing
from voting.storage.campaigns import Campaign, bump_version, lock_by_slug

RATIO = (3, 1)
#: width -> most bytes of a file; a phone with two dots a pixel takes the second, which leaves the page with photos
#: under its 150 KB, and one with three dots the third
WIDTHS = {480: 9_000, 720: 12_000, 1080: 30_000, 1600: 60_000}
FIELDS = ("banner", "banner_alt")
LONGEST_ALT = 200
_QUALITIES = (72, 60, 48, 36, 24)


def banner_mark(banner: str | None, alt: str) -> str:
    """The mark of a banner, for a form that is going to change it."""
    return mark_of({"banner": banner, "banner_alt": alt}, FIELDS)


def set_banner(slug: str, content: bytes | None, alt: str, seen: str) -> None:
    """Give a draft a banner, or only its words for who cannot see it (``content`` None).

    ``seen`` is the mark of what there was. Raises PhotoRefused, CampaignFrozen or ChangedMeanwhile.
    """
    # The files are there before the database names them; a banner that nobody names is harmless.
    name = None if content is None else prepare_banner(content)
    _save(slug, name, alt[:LONGEST_ALT], seen)


def remove_banner(slug: str, seen: str) -> None:
    """Take the banner away; its files stay, others may have the same. Raises CampaignFrozen or ChangedMeanwhile."""
    _save(slug, "", "", seen)


def _save(slug: str, name: str | None, alt: str, seen: str) -> None:
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        if campaign.stage != "draft":
            raise CampaignFrozen(campaign.stage)
        before = _fields(campaign)
        if mark_of(before, FIELDS) != seen:
            raise ChangedMeanwhile(campaign.version)
        campaign.banner = campaign.banner if name is None else name or None
        campaign.banner_alt = alt if campaign.banner else ""
        old, new = changed(before, _fields(campaign))
        if old or new:
            write_entry(session, "campaign.banner", slug, slug, old, new)
            bump_version(session, campaign.id)
    forget()


def _fields(campaign: Campaign) -> dict[str, str | None]:
    return {"banner": campaign.banner, "banner_alt": campaign.banner_alt}


def banners_folder() -> Path:
    """Where the files are: <width>.webp and .jpg in a folder named by the banner."""
    return Path(current_app.config["VOTING_INSTANCE"]) / "banners"


def prepare_banner(content: bytes) -> str:
    """Make the files of a banner and return its name. Raises PhotoRefused."""
    name = sha256(content).hexdigest()[:32]
    folder = banners_folder() / name
    if not folder.is_dir():
        picture = cut(read_picture(content, max(WIDTHS)), RATIO)
        files: dict[str, bytes] = {}
        for width, most in WIDTHS.items():
            # Small originals are not blown up: the browser does that as well.
            size = min(width, picture.width)
            smaller = picture.resize((size, max(1, size * RATIO[1] // RATIO[0])), Image.Resampling.LANCZOS)
            files |= {f"{width}.{ending}": _packed(smaller, ending, most) for ending in FORMATS}
        write_files(folder, files)
    return name


def _packed(picture: Image.Image, ending: str, most: int) -> bytes:
    """The best file of at most so many bytes; where quality alone does not do it, the picture becomes smaller."""
    kind, options = FORMATS[ending]
    while True:
        for quality in _QUALITIES:
            out = io.BytesIO()
            picture.save(out, kind, **(options | {"quality": quality}))
            if out.tell() <= most:
                return out.getvalue()
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))


def find_banner(name: str, width: int, ending: str) -> Path | None:
    """The file of a banner in one width and format, or None; nothing else is reachable."""
    if not is_name(name) or width not in WIDTHS or ending not in FORMATS:
        return None
    path = banners_folder() / name / f"{width}.{ending}"
    return path if path.is_file() else None
