"""Cast a ballot: from a campaign, an identity and choices to a receipt. One round trip to the box, no SQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app

from voting.identity.base import Identity
from voting.identity.device import PROVIDER as DEVICE
from voting.identity.effort import NOTHING, Solved
from voting.rules.address import fold_address
from voting.rules.ballot import Ballot
from voting.rules.ballot_id import parse_ballot_id
from voting.rules.errors import BoxUnavailable, ChallengeRequired, MalformedBallot
from voting.rules.periods import HOUR_MS
from voting.rules.voter import address_hash, receipt_code, voter_key
from voting.services.boxes import box_of
from voting.services.catalogue import CampaignView
from voting.services.challenging import asked_of
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


def voter_secret() -> bytes:
    """The key of every pseudonym; losing it would let everybody vote again."""
    return str(current_app.config["VOTER_SECRET"]).encode()


def voter_key_of(campaign: CampaignView, identity: Identity) -> bytes:
    return voter_key(voter_secret(), campaign.id, identity.provider, identity.subject)


def cast_ballot(
    campaign: CampaignView,
    identity: Identity,
    ballot_id: str,
    choices: Sequence[int],
    address: str,
    solved: Solved = NOTHING,
    device: str = "other",
) -> Receipt:
    """Put a ballot into the campaign's box; raises the Refusal that says why it was not accepted.

    ``solved`` is the challenge that came with it: only the box knows whether one is needed, and a repeat of an accepted
    ballot gets its receipt whatever has become of its solution. ``device`` is the
    kind of program it was sent with, for a counter; no ballot carries it.
    """
    if len(choices) > MOST_CHOICES:
        raise MalformedBallot(f"choices: at most {MOST_CHOICES}")
    if campaign.epoch is None:
        raise BoxUnavailable("missing")
    secret = voter_secret()
    ordered = tuple(sorted(choices))
    ballot = Ballot(parse_ballot_id(ballot_id), voter_key_of(campaign, identity), ordered)
    code = receipt_code(secret, campaign.id, ballot.ballot_id)
    sender = _sender(secret, campaign, address, identity, solved)
    try:
        accepted = box_of(campaign.id, campaign.rules).cast(campaign.epoch, ballot, code, sender)
    except ChallengeRequired:
        raise ChallengeRequired(solved.problem) from None
    count_ballot(campaign.slug, accepted.first, identity.provider, device, len(ordered))
    return Receipt(ballot.ballot_id, code, campaign.slug, accepted.at_ms, ordered, accepted.first, accepted.marks)


def _sender(secret: bytes, campaign: CampaignView, address: str, identity: Identity, solved: Solved) -> Sender:
    """An address as it is kept: a keyed hash of the IPv4 address or IPv6 /64, and the network it lies in."""
    new = identity.provider == DEVICE and identity.since_ms > time.time() * 1000 - HOUR_MS
    challenge, folded = asked_of(campaign.rules, identity), fold_address(address)
    if folded is None:
        return Sender(b"", "", new, challenge, solved.digest)
    return Sender(address_hash(secret, campaign.id, folded.key), folded.network, new, challenge, solved.digest)
