"""Sending nominations, reading one again by its private code, and amending what was returned.

A citizen has the code, a reviewer who sends on behalf of a county or town has their account. Texts and whoever sent
them stay out of the audit trail, which is kept for ever.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.orm import Session

from voting.rules.areas import is_area_code
from voting.rules.ballot_id import CROCKFORD
from voting.rules.campaign import Award
from voting.rules.candidate_errors import FieldProblem
from voting.rules.nomination import State, check_call, check_reviewing, find_private, next_state, read_telephone
from voting.rules.nomination_errors import NominationDecided, NominationNotFound, NominationRefused
from voting.rules.roles import Holder
from voting.rules.voter import parse_receipt_code
from voting.services.candidate_rows import LONGEST
from voting.services.nomination_calls import CallView, view_call
from voting.services.sheets import unprintable
from voting.services.trail import acting_as, changed, write_entry
from voting.services.transactions import reading, writing
from voting.storage.areas import count_areas, find_area_code, find_lineage
from voting.storage.campaigns import Campaign, find_by_slug, lock_by_slug
from voting.storage.nominations import Nomination, find_by_digest, find_nomination

#: what is nominated, and who does it; the latter is asked once
ABOUT = ("award", "group_key", "name", "area_code", "summary", "story")
CONTACT = ("nominator", "telephone")
#: whoever has the link, in the trail; no account can have a name like this
BY_LINK = "public:link"
_TEXTS = ("name", "summary", "story")


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was sent: fields of ABOUT and CONTACT by name, the name of a stored photo, the box that is ticked."""

    values: Mapping[str, str]
    photo: str | None = None
    consent: bool = False


@dataclass(frozen=True, slots=True)
class NominationView:
    """A nomination as its nominator reads it: ``values`` hold no contact, nominator and telephone are masked."""

    call: CallView
    id: int
    state: State
    reason: str
    values: dict[str, str]
    photo: str | None
    area_path: tuple[str, ...]
    nominator: str
    telephone: str
    sent_at: int
    changed_at: int
    seen: int
    sent_by: str | None


def new_code() -> str:
    """A private code: 16 characters, 80 random bits."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(16))


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()


def send_nomination(slug: str, code: str, sent: Sent) -> str:
    """Take a citizen's nomination; the code it can be read with, which is the given one unless that is in use.

    Sent twice with the same code it is one nomination. Raises CampaignNotFound, NominationNotFound,
    NominationsNotOpen, NominationsOver or NominationRefused.
    """
    with acting_as(BY_LINK):
        return _send(slug, parse_receipt_code(code) or new_code(), sent, None)[0]


def send_for_area(slug: str, holder: Holder, code: str, sent: Sent) -> int:
    """Take a reviewer's nomination of somebody in their area; its id. Raises as ``send_nomination``."""
    return _send(slug, parse_receipt_code(code) or new_code(), sent, holder)[1]


def _send(slug: str, code: str, sent: Sent, holder: Holder | None) -> tuple[str, int]:
    values, now = tidied(sent.values), _now_ms()
    content = sha256(json.dumps([{name: values[name] for name in ABOUT}, sent.photo]).encode()).digest()
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        view = view_call(session, campaign)
        check_call(view.call, campaign.stage, "desk" if holder else "public", now)
        earlier = find_by_digest(session, _digest(code))
        if earlier is not None:
            if earlier.campaign_id == campaign.id and earlier.content == content:
                return code, earlier.id
            # The same page sent once more for somebody else, back and forth in the browser.
            code = new_code()
        problems = _problems(session, view.awards, values, holder) + _contact_problems(values)
        if not sent.consent:
            problems.append(FieldProblem("consent", "consent"))
        if problems:
            raise NominationRefused(tuple(problems))
        nomination = Nomination(
            campaign_id=campaign.id,
            code_digest=_digest(code),
            content=content,
            photo=sent.photo,
            nominator=values["nominator"],
            telephone=read_telephone(values["telephone"]) or "",
            sent_by=holder.name if holder else None,
            sent_at=now,
            changed_at=now,
            **{name: values[name] for name in _TEXTS},
            award=values["award"],
            group_key=values["group_key"] or None,
            area_code=values["area_code"] or None,
        )
        session.add(nomination)
        session.flush()
        after = {name: values[name] for name in ("award", "group_key", "name", "area_code")} | {"state": "sent"}
        write_entry(session, "nomination.send", str(nomination.id), slug, after=after)
        return code, nomination.id


def public_call(slug: str) -> CallView:
    """The call that anybody with the link may answer, now or at its time.

    Raises NominationNotFound: whether there is a draft of that name is nobody's business.
    """
    with reading() as session:
        campaign = find_by_slug(session, slug)
        view = view_call(session, campaign) if campaign else None
        if view is None or view.call is None or not view.call.public or view.stage != "draft":
            raise NominationNotFound
        return view


def read_by_code(slug: str, code: str) -> NominationView:
    """Raises NominationNotFound, also for a code of another campaign."""
    with reading() as session:
        campaign = find_by_slug(session, slug)
        if campaign is None:
            raise NominationNotFound
        return view_nomination(session, campaign, _of_code(session, campaign, code))


def _of_code(session: Session, campaign: Campaign, code: str) -> Nomination:
    parsed = parse_receipt_code(code)
    found = find_by_digest(session, _digest(parsed)) if parsed else None
    # Whoever sent at the desk has an account for it: their code is nobody's.
    if found is None or found.campaign_id != campaign.id or found.sent_by is not None:
        raise NominationNotFound
    return found


def view_nomination(session: Session, campaign: Campaign, row: Nomination) -> NominationView:
    """As its nominator may read it."""
    lineage = find_lineage(session, row.area_code) if row.area_code else []
    return NominationView(
        view_call(session, campaign),
        row.id,
        row.state,
        row.reason,
        about_of(row),
        row.photo,
        tuple(area.name for area in lineage if area.level != "city"),
        f"{row.nominator[:1]}**",
        f"{row.telephone[:3]}****{row.telephone[-4:]}",
        row.sent_at,
        row.changed_at,
        row.version,
        row.sent_by,
    )


def about_of(row: Nomination) -> dict[str, str]:
    """What is nominated, by the fields of the form."""
    return {name: getattr(row, name) or "" for name in ABOUT}


def amend_nomination(slug: str, code: str, seen: int, sent: Sent) -> None:
    """Send a returned nomination again, changed; the nominator stays. Possible until the campaign opens.

    Raises NominationNotFound, NominationDecided, NominationsOver or NominationRefused.
    """
    with acting_as(BY_LINK), writing() as session:
        campaign = lock_by_slug(session, slug)
        _amend(session, campaign, _of_code(session, campaign, code), seen, sent, None)


def amend_for_area(slug: str, holder: Holder, nomination_id: int, seen: int, sent: Sent) -> None:
    """The same, by the reviewer who sent it."""
    with writing() as session:
        campaign = lock_by_slug(session, slug)
        row = find_nomination(session, campaign.id, nomination_id)
        if row is None or row.sent_by != holder.name or not holder.reviews(row.area_code):
            raise NominationNotFound
        _amend(session, campaign, row, seen, sent, holder)


def _amend(session: Session, campaign: Campaign, row: Nomination, seen: int, sent: Sent, holder: Holder | None) -> None:
    view = view_call(session, campaign)
    check_reviewing(campaign.stage, view.call)
    state = next_state("amend", row.state)
    if seen != row.version:
        raise NominationDecided
    values, before = tidied(sent.values), about_of(row)
    # An award that is no longer called for may stay, if it was this one's.
    awards = [award for award in view.rules.awards if award in view.awards or award.key == row.award]
    problems = _problems(session, awards, values, holder)
    if problems:
        raise NominationRefused(tuple(problems))
    was, now = changed(before | {"photo": row.photo}, {n: values[n] for n in ABOUT} | {"photo": sent.photo})
    for name in _TEXTS:
        setattr(row, name, values[name])
    row.award, row.group_key = values["award"], values["group_key"] or None
    row.area_code, row.photo = values["area_code"] or None, sent.photo
    row.state, row.changed_at, row.version = state, _now_ms(), row.version + 1
    # That a text changed is told, what it says is not.
    hidden = dict.fromkeys((name for name in ("summary", "story") if name in now), "…")
    was, now = was | hidden | {"state": "returned"}, now | hidden | {"state": state}
    write_entry(session, "nomination.amend", str(row.id), campaign.slug, was, now)


def tidied(values: Mapping[str, str]) -> dict[str, str]:
    """Every field, one line each but for the story."""
    given = {name: values.get(name, "") for name in (*ABOUT, *CONTACT)}
    story = given["story"].replace("\r\n", "\n").strip()
    return {name: " ".join(text.split()) for name, text in given.items()} | {"story": story}


def _problems(
    session: Session, awards: Sequence[Award], values: Mapping[str, str], holder: Holder | None
) -> list[FieldProblem]:
    found = [problem for name in _TEXTS for problem in _text_problems(name, values[name], public=True)]
    if not values["name"]:
        found.append(FieldProblem("name", "empty"))
    award = next((each for each in awards if each.key == values["award"]), None)
    groups = {group.key for group in award.groups} if award else set()
    if award is None or values["group_key"] not in (groups or {""}):
        found.append(FieldProblem("award", "choose"))
    code = values["area_code"]
    known = is_area_code(code) and find_area_code(session, code) is not None
    # Where no areas were imported there is nothing to choose from.
    if not known and (code or count_areas(session)):
        found.append(FieldProblem("area_code", "choose"))
    elif holder is not None and not holder.reviews(code):
        found.append(FieldProblem("area_code", "foreign"))
    return found


def _text_problems(name: str, text: str, public: bool) -> list[FieldProblem]:
    longest = LONGEST.get(name, LONGEST["name"])
    if len(text) > longest:
        return [FieldProblem(name, "long", str(longest))]
    if hidden := unprintable(text, breaks=name == "story"):
        return [FieldProblem(name, "hidden", hidden)]
    if public and (private := find_private(text)):
        return [FieldProblem(name, "private", private)]
    return []


def _contact_problems(values: Mapping[str, str]) -> list[FieldProblem]:
    found = _text_problems("nominator", values["nominator"], public=False)
    if not values["nominator"]:
        found.append(FieldProblem("nominator", "empty"))
    if read_telephone(values["telephone"]) is None:
        found.append(FieldProblem("telephone", "telephone" if values["telephone"] else "empty"))
    return found


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
