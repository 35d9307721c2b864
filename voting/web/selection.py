"""What a citizen has chosen so far, carried in the query as ``choice=<candidate id>``.

So it survives paging, filters and a reload without script. Nothing is stored here, and nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from voting.rules.ballot import check_choices
from voting.rules.campaign import Award, RuleSet
from voting.rules.errors import Refusal
from voting.rules.quota import Place
from voting.services.catalogue import CampaignView, CandidateView
from voting.services.standing import LeftLine, Standing
from voting.web.forms import read_choices, read_number


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen candidates in the order of choosing, repeats listed; ``lost`` were chosen but can no longer be."""

    chosen: tuple[CandidateView, ...]
    lost: int = 0

    @property
    def ids(self) -> list[int]:
        return [candidate.id for candidate in self.chosen]

    def of(self, award: str) -> list[CandidateView]:
        """The chosen candidates of one award."""
        return [candidate for candidate in self.chosen if candidate.award == award]

    @property
    def times(self) -> Counter[int]:
        """How often each candidate is chosen."""
        return Counter(self.ids)

    def counted(self, award: str) -> list[tuple[CandidateView, int]]:
        """The chosen candidates of one award, each once, with how often."""
        return counted(self.of(award))

    def over(self, standing: Standing) -> list[CandidateView]:
        """Those that this voter cannot choose, or not so often, because of earlier ballots."""
        return [
            candidate
            for candidate, times in counted(self.chosen)
            if (voted := standing.voted.get(candidate.id)) is not None and times > voted.left
        ]

    def carried(self, shown: set[int]) -> list[CandidateView]:
        """Those that need a hidden field, because no ticked box on the page stands for them."""
        rest, ticked = [], set()
        for candidate in self.chosen:
            if candidate.id in shown and candidate.id not in ticked:
                ticked.add(candidate.id)
            else:
                rest.append(candidate)
        return rest


def counted(candidates: Iterable[CandidateView]) -> list[tuple[CandidateView, int]]:
    """Candidates with repeats as pairs of candidate and times, in order of first appearance."""
    times: dict[int, int] = {}
    first: dict[int, CandidateView] = {}
    for candidate in candidates:
        times[candidate.id] = times.get(candidate.id, 0) + 1
        first.setdefault(candidate.id, candidate)
    return [(first[id_], number) for id_, number in times.items()]


def most_per_candidate(rules: RuleSet) -> int | None:
    """How often one candidate may be on a ballot of a voter who has not voted yet; None = as often as it holds."""
    caps = [q.limit for q in rules.quotas if q.unit == "choices" and q.per in ("candidate", "voter")]
    return min([*caps, *([rules.ballot.max] if rules.ballot.max is not None else [])], default=None)


def read_selection(campaign: CampaignView, args: MultiDict[str, str]) -> Selection:
    """The chosen set of a query: ``choice`` repeated, ``add`` one more, ``drop`` one less."""
    asked = read_choices(args.getlist("choice") + args.getlist("add"))
    for text in args.getlist("drop"):
        number = read_number(text)
        if number in asked:
            asked.remove(number)
    chosen: list[CandidateView] = []
    known: set[int] = set()
    lost = 0
    for number in asked:
        candidate = campaign.by_id.get(number)
        if candidate is None or candidate.standing != "standing":
            lost += 1
        elif campaign.rules.repeat or number not in known:
            known.add(number)
            chosen.append(candidate)
    return Selection(tuple(chosen), lost)


def problem_of(campaign: CampaignView, selection: Selection) -> Refusal | None:
    """What the box would refuse about the choices alone, told before the ballot is sent."""
    chosen = sorted(selection.chosen, key=lambda candidate: candidate.id)
    places = {c.id: Place(c.id, c.award, c.group_key, c.standing == "standing") for c in chosen}
    try:
        check_choices(campaign.rules, places, [candidate.id for candidate in chosen])
    except Refusal as refusal:
        return refusal
    return None


@dataclass(frozen=True, slots=True)
class Room:
    """How many candidates of an award fit on the ballot; None = no limit of its own. ``left``: how many votes the voter
    still has for it, ``today`` when that is a matter of the day."""

    award: Award
    chosen: int
    cap: int | None
    left: int | None
    today: bool = True


def rooms(rules: RuleSet, selection: Selection, standing: Sequence[LeftLine]) -> list[Room]:
    """The room in every award: the tightest of what a ballot may hold and what is left of the voter's quota."""
    found = []
    for award in rules.awards:
        caps = [award.limits.max, rules.ballot.max]
        caps += [q.limit for q in rules.quotas if q.unit == "choices" and q.per in ("award", "voter")]
        on_one = min((cap for cap in caps if cap is not None), default=None)
        left = [(votes, line) for line in standing if (votes := _left_for(award, line, on_one)) is not None]
        votes, line = min(left, key=lambda each: each[0], default=(None, None))
        cap = min((cap for cap in (on_one, votes) if cap is not None), default=None)
        today = line is None or line.quota.period == "day"
        found.append(Room(award, len(selection.of(award.key)), cap, votes, today))
    return found


def _left_for(award: Award, line: LeftLine, on_one: int | None) -> int | None:
    """How many votes for an award a quota line leaves; None when it says nothing about that."""
    if line.quota.unit == "ballots":
        # So many ballots, each with so many votes of this award.
        return 0 if not line.left else None if on_one is None else line.left * on_one
    return line.left if line.quota.per in ("award", "voter") and line.award in (None, award.key) else None
