"""Two people at the same moment, where the database lets both look before one of them writes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.world import rules_text
from voting.services import campaigns
from voting.services.campaigns import CampaignRefused, create_campaign
from voting.services.trail import check_trail, list_entries
from voting.storage.campaigns import Campaign, find_by_slug

pytestmark = [pytest.mark.parametrize("database_url", ["postgres"], indirect=True), pytest.mark.postgres]


def test_one_of_two_gets_the_address_and_the_other_is_told(
    ledger_app: Flask, ledger: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=20)

    def look_together(session: Session, slug: str) -> Campaign | None:
        found = find_by_slug(session, slug)
        both.wait()
        return found

    monkeypatch.setattr(campaigns, "find_by_slug", look_together)
    outcomes: list[Any] = []

    def create(title: str) -> None:
        with ledger_app.app_context():
            try:
                create_campaign("best", title, rules_text())
                outcomes.append("made")
            except CampaignRefused as refused:
                outcomes.append(refused.problem)
            except Exception as error:
                outcomes.append(error)

    threads = [threading.Thread(target=create, args=(title,)) for title in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["made", "taken"]
    assert ledger.scalar(select(func.count()).select_from(Campaign)) == 1
    (entry,) = list_entries(act="campaign.create")
    assert entry.after["title"] == ledger.scalar(select(Campaign.title))
    assert check_trail() == []
