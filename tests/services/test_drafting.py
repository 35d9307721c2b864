"""Drafts: saved with before and after, never over somebody else's work, never once frozen; presets; discarding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.world import World, new_world, put_campaign, rules_text
from voting.rules.checklist import rule_findings
from voting.rules.draft_errors import CampaignFrozen, DraftChanged, DraftNotEmpty, PlaceInUse, PresetNotFound
from voting.rules.errors import CampaignNotFound
from voting.rules.rule_text import RuleTextError
from voting.services import presets
from voting.services.campaigns import CampaignRefused, create_campaign, now_ms
from voting.services.catalogue import get_campaign
from voting.services.drafting import discard_draft, get_dossier, mark_of, save_draft
from voting.services.trail import acting_as, check_trail, list_entries

EVERYBODY = frozenset({"device", "wechat", "sms", "oidc"})


@pytest.fixture
def draft(app: Flask) -> World:
    """A draft with candidates, as ``world`` is before it opens."""
    world = new_world(app)
    world.do(lambda: put_campaign(world.slug, rules_text()))
    return world


@pytest.fixture
def empty(lite_app: Flask) -> World:
    world = new_world(lite_app)
    world.do(lambda: create_campaign(world.slug, "十佳", rules_text()))
    return world


def save(world: World, **changes: Any) -> bool:
    """As somebody who has just read the draft."""
    return world.do(lambda: save_draft(world.slug, changes, get_dossier(world.slug).mark(changes)))


def test_a_save_changes_the_part_it_is_about_and_is_on_record(draft: World) -> None:
    before = draft.do(lambda: get_dossier(draft.slug))
    with acting_as("chen"):
        assert save(draft, title="新名称", interval_s=60)
    after = draft.do(lambda: get_dossier(draft.slug))
    assert (after.content["title"], after.rules.interval_s) == ("新名称", 60)
    assert after.rules.awards == before.rules.awards
    entry = draft.do(lambda: list_entries(draft.slug, act="campaign.edit"))[0]
    assert (entry.actor, entry.before, entry.after) == (
        "chen",
        {"interval_s": 0, "title": before.content["title"]},
        {"interval_s": 60, "title": "新名称"},
    )
    assert draft.do(check_trail) == []
    assert draft.do(lambda: get_campaign(draft.slug).title) == "新名称"


def test_nothing_different_leaves_no_trace(draft: World) -> None:
    version = draft.sql("SELECT version FROM campaigns")
    assert not save(draft, title=draft.do(lambda: get_dossier(draft.slug)).content["title"])
    assert draft.do(lambda: list_entries(draft.slug, act="campaign.edit")) == []
    assert draft.sql("SELECT version FROM campaigns") == version


def test_what_is_left_to_its_default_is_on_record_too(draft: World) -> None:
    save(draft, purpose="评优参考", online_weight=40)
    save(draft, purpose="", online_weight=100)
    entry = draft.do(lambda: list_entries(draft.slug, act="campaign.edit"))[0]
    assert entry.before == {"purpose": "评优参考", "online_weight": 40}
    assert entry.after == {}


def test_the_second_to_save_is_told_and_changes_nothing(draft: World) -> None:
    mark = draft.do(lambda: get_dossier(draft.slug).mark(("title",)))
    with acting_as("li"):
        draft.do(lambda: save_draft(draft.slug, {"title": "先"}, mark))
    with pytest.raises(DraftChanged) as told:
        draft.do(lambda: save_draft(draft.slug, {"title": "后"}, mark))
    assert told.value.by == "li"
    assert draft.do(lambda: get_dossier(draft.slug)).content["title"] == "先"


def test_another_part_or_another_candidate_is_no_conflict(draft: World) -> None:
    mark = draft.do(lambda: get_dossier(draft.slug).mark(("title",)))
    save(draft, interval_s=30)
    draft.sql("UPDATE campaigns SET version = version + 1")
    assert draft.do(lambda: save_draft(draft.slug, {"title": "后"}, mark))
    saved = draft.do(lambda: get_dossier(draft.slug))
    assert (saved.content["title"], saved.rules.interval_s) == ("后", 30)


@pytest.mark.parametrize("seen", ["", "0" * 24, "x' OR 1"])
def test_a_made_up_mark_is_no_permission(draft: World, seen: str) -> None:
    with pytest.raises(DraftChanged):
        draft.do(lambda: save_draft(draft.slug, {"title": "x"}, seen))


def test_what_the_rules_refuse_is_not_saved(draft: World) -> None:
    before = draft.dump(), draft.do(lambda: get_dossier(draft.slug)).content
    for changes in ({"time_zone": "Asia/Nowhere"}, {"awards": [{"key": "a"}]}, {"votes": 5}, {"quotas": "many"}):
        with pytest.raises(RuleTextError):
            save(draft, **changes)
    assert (draft.dump(), draft.do(lambda: get_dossier(draft.slug)).content) == before


def test_a_frozen_campaign_is_never_changed(world: World) -> None:
    before = world.do(lambda: get_dossier(world.slug))
    for changes in ({"title": "x"}, {"quotas": []}, {"rules_hash": "x"}, {"stage": "draft"}):
        with pytest.raises(CampaignFrozen):
            save(world, **changes)
    with pytest.raises(CampaignFrozen):
        world.do(lambda: discard_draft(world.slug))
    assert world.do(lambda: get_dossier(world.slug)) == before


def test_only_texts_and_rules_can_be_named(draft: World) -> None:
    """No mass assignment: a field that is neither a text nor a rule is refused by the rules' own reading."""
    for name in ("stage", "rules_hash", "epoch", "slug", "version", "demonstration", "published_at"):
        with pytest.raises(RuleTextError, match=f"unknown field {name}"):
            save(draft, **{name: "open"})


def test_an_award_with_candidates_stays(draft: World) -> None:
    rules = json.loads(rules_text())
    with pytest.raises(PlaceInUse) as refused:
        save(draft, awards=rules["awards"][:1])
    # Withdrawn candidates count as well: their award must still be known.
    assert (refused.value.name, refused.value.candidates) == ("百佳中心户", 8)
    more = [*rules["awards"], {"key": "new", "name": "新奖", "seats": 1}]
    assert save(draft, awards=more)
    assert save(draft, awards=rules["awards"])


def test_an_empty_draft_can_be_thrown_away_and_its_address_used_again(empty: World) -> None:
    with acting_as("chen"):
        empty.do(lambda: discard_draft(empty.slug))
    with pytest.raises(CampaignNotFound):
        empty.do(lambda: get_dossier(empty.slug))
    entry = empty.do(lambda: list_entries(empty.slug))[0]
    assert (entry.act, entry.actor, entry.before["title"]) == ("campaign.discard", "chen", "十佳")
    empty.do(lambda: create_campaign(empty.slug, "再来", rules_text()))


def test_a_draft_with_candidates_is_kept(draft: World) -> None:
    with pytest.raises(DraftNotEmpty):
        draft.do(lambda: discard_draft(draft.slug))
    assert draft.do(lambda: get_dossier(draft.slug)).candidates == 13


def test_an_address_is_given_once(empty: World) -> None:
    with pytest.raises(CampaignRefused) as refused:
        empty.do(lambda: create_campaign(empty.slug, "x", rules_text()))
    assert refused.value.problem == "taken"


def test_the_mark_depends_on_the_fields_and_not_on_their_order() -> None:
    content = {"title": "a", "summary": "b"}
    assert mark_of(content, ("title", "summary")) == mark_of(content, ("summary", "title"))
    assert mark_of(content, ("title",)) != mark_of({"title": "b"}, ("title",))


@pytest.mark.parametrize("preset", presets.presets(), ids=lambda preset: preset.id)
def test_every_preset_makes_a_campaign_that_lacks_only_candidates(preset: presets.Preset) -> None:
    rules = preset.rule_set(now_ms())
    plenty = {award.key: 500 for award in rules.awards}
    grouped = {group.key: 500 for group in rules.groups()}
    assert [one.text for one in rule_findings(rules, plenty, grouped, now_ms(), EVERYBODY)] == []
    for texts in (preset.name, preset.about, *preset.cannot):
        assert set(texts) == {"zh", "en"}
        assert all(texts.values())


def test_the_presets_are_those_of_the_published_selections() -> None:
    ids = {preset.id for preset in presets.presets()}
    assert {"r1", "r2", "r3", "r4", "r5", "r7", "r8", "r9", "r10", "r11", "r12", "r14", "r17"} <= ids
    assert len(ids) == len(presets.presets())
    r2 = presets.get_preset("r2").rule_set(now_ms())
    assert (r2.ballot.min, r2.ballot.max, r2.display.mode, r2.online_weight) == (10, 10, "daily", 70)
    with pytest.raises(PresetNotFound):
        presets.get_preset("r99")
