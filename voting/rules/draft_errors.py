"""What the campaign wizard says no to, as named types; wording and status live at the edge as for every refusal."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.errors import Refusal


@dataclass(eq=False)
class CampaignFrozen(Refusal):
    """The campaign is no draft any more: its texts and rules stand as they were opened with."""

    code = "campaign_frozen"
    stage: str


@dataclass(eq=False)
class DraftChanged(Refusal):
    """Somebody else saved the same part meanwhile; ``by`` is the account that saved last."""

    code = "draft_changed"
    by: str


@dataclass(eq=False)
class BannerNeedsWords(Refusal):
    """Who cannot see the banner has to be told what stands on it, and briefly."""

    code = "banner_needs_words"


@dataclass(eq=False)
class PlaceInUse(Refusal):
    """An award or group that has candidates cannot be taken out of the rules."""

    code = "place_in_use"
    name: str
    candidates: int


@dataclass(eq=False)
class DraftNotEmpty(Refusal):
    """Only a draft without candidates can be thrown away."""

    code = "draft_not_empty"
    candidates: int


@dataclass(eq=False)
class PresetNotFound(Refusal):
    code = "preset_not_found"
