"""Find a ballot again by its receipt code: in the ledger, or in the stream when it is not recorded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voting.identity.base import Identity
from voting.rules.errors import ReceiptNotFound
from voting.rules.voter import parse_receipt_code
from voting.services.boxes import box_of, boxes
from voting.services.casting import voter_key_of
from voting.services.catalogue import CampaignView, CandidateView, all_campaigns
from voting.services.transactions import LEDGER_AWAY, reading
from voting.storage.ballots import choices_of, find_ballot_by_receipt
from voting.tally.stream import find_entry


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A ballot as its voter sees it again. ``state``: accepted, recorded or published; repeats are listed."""

    code: str
    ballot_id: str
    campaign: CampaignView
    accepted_ms: int
    candidates: tuple[CandidateView, ...]
    state: str


def find_receipt(code: str, identities: Sequence[Identity]) -> ReceiptView:
    """The ballot of a receipt code, for the voter who cast it; unknown and foreign codes are the same ReceiptNotFound.

    Shown to its voter only: a code that anybody could look up would prove to a buyer that the vote was delivered.
    """
    parsed = parse_receipt_code(code)
    if parsed is None or not identities:
        raise ReceiptNotFound
    campaigns = {view.id: view for view in all_campaigns()}
    try:
        found = _in_ledger(parsed, campaigns) or _in_stream(parsed, campaigns)
    except LEDGER_AWAY:
        found = _in_stream(parsed, campaigns)
        if found is None:
            raise  # it may stand in the ledger: nobody can say that there is none
    if found is None or all(found[1] != voter_key_of(found[0].campaign, each) for each in identities):
        raise ReceiptNotFound
    return found[0]


def _in_ledger(code: str, campaigns: dict[int, CampaignView]) -> tuple[ReceiptView, bytes] | None:
    with reading() as session:
        row = find_ballot_by_receipt(session, code)
        if row is None or row.campaign_id not in campaigns:
            return None
        choices = choices_of(session, [row.ballot_id])[row.ballot_id]
    campaign = campaigns[row.campaign_id]
    candidates = [campaign.by_id[candidate] for candidate, times in choices.items() for _ in range(times)]
    state = "published" if campaign.stage == "published" else "recorded"
    return ReceiptView(code, row.ballot_id, campaign, row.stream_ms, tuple(candidates), state), row.voter_key


def _in_stream(code: str, campaigns: dict[int, CampaignView]) -> tuple[ReceiptView, bytes] | None:
    """Ballots that are accepted and not recorded yet: the box knows the code, the stream holds the ballot."""
    for campaign in campaigns.values():
        if campaign.stage not in ("open", "closed"):
            continue
        stream_id = box_of(campaign.id, campaign.rules).place_of_receipt(code)
        entry = stream_id and find_entry(boxes().client, campaign.id, stream_id)
        if entry:
            candidates = tuple(campaign.by_id[candidate] for candidate in entry.choices)
            view = ReceiptView(code, entry.ballot_id, campaign, entry.stream_id[0], candidates, "accepted")
            return view, entry.voter_key
    return None
