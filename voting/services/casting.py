"""Cast a ballot: from a campaign, an identity and choices to a receipt. One round trip to the box, no SQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app

from voting.identity.base import Identity
from voting.rules.address import fold_address
from voting.rules.ballot import Ballot
from voting.rules.ballot_id import parse_ballot_id
from voting.rules.errors import BoxUnavailable, MalformedBallot
from voting.rules.periods import HOUR_MS
from voting.rules.quota import Quota
from voting.rules.voter import address_hash, receipt_code, voter_key
from voting.services.boxes import box_of
from voting.services.catalogue import CampaignView
from voting.services.metering import count_ballot
from voting.tally.ballot_box import Sender

MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an accepted ballot is answered with, today and on every retry; ``first`` tells the two apart."""

    ballot_id: str
    code: str
    slug: str
    accepted_ms: int
    choices: tuple[int, ...]
    first: bool
    marks: str


@dataclass(frozen=True, slots=True)
class LeftLine:
    """What a voter has used of a quota line; ``award`` names the award of a line that is kept per award."""

    quota: Quota
    award: str | None
    used: int
    limit: int


def voter_secret() -> bytes:
    """The key of every pseudonym; losing it would let everybody vote again."""
    return str(current_app.config["VOTER_SECRET"]).encode()


def voter_key_of(campaign: CampaignView, identity: Identity) -> bytes:
    return voter_key(voter_secret(), campaign.id, identity.provider, identity.subject)


def cast_ballot(
    campaign: CampaignView, identity: Identity, ballot_id: str, choices: Sequence[int], address: str
) -> Receipt:
    """Put a ballot into the campaign's box; raises the Refusal that says why it was not accepted."""
    if len(choices) > MOST_CHOICES:
        raise MalformedBallot(f"choices: at most {MOST_CHOICES}")
    if campaign.epoch is None:
        raise BoxUnavailable("missing")
    secret = voter_secret()
    ordered = tuple(sorted(choices))
    ballot = Ballot(parse_ballot_id(ballot_id), voter_key_of(campaign, identity), ordered)
    code = receipt_code(secret, campaign.id, ballot.ballot_id)
    sender = _sender(secret, campaign.id, address, identity)
    accepted = box_of(campaign.id, campaign.rules).cast(campaign.epoch, ballot, code, sender)
    count_ballot(accepted.first)
    return Receipt(ballot.ballot_id, code, campaign.slug, accepted.at_ms, ordered, accepted.first, accepted.marks)


def _sender(secret: bytes, campaign: int, address: str, identity: Identity) -> Sender:
    """An address as it is kept: a keyed hash of the IPv4 address or IPv6 /64, and the network it lies in."""
    new = identity.since_ms > time.time() * 1000 - HOUR_MS
    folded = fold_address(address)
    if folded is None:
        return Sender(new_device=new)
    return Sender(address_hash(secret, campaign, folded.key), folded.network, new)


def voter_standing(campaign: CampaignView, identity: Identity) -> list[LeftLine]:
    """What a voter has used of the quotas that are kept per voter and per award; raises BoxUnavailable."""
    box, key = box_of(campaign.id, campaign.rules), voter_key_of(campaign, identity)
    now_ms = time.time_ns() // 1_000_000
    lines: list[LeftLine] = []
    for quota in campaign.rules.quotas:
        if quota.per == "voter":
            lines.append(LeftLine(quota, None, box.used(key, quota, "", now_ms), quota.limit))
        elif quota.per == "award":
            lines += [
                LeftLine(quota, award.key, box.used(key, quota, award.key, now_ms), quota.limit)
                for award in campaign.rules.awards
            ]
    return lines
