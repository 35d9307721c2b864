"""Places in a result in words: why a candidate has the rank it has, and why it is selected or not."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext

from voting.rules.campaign import Award
from voting.services.desk_results import Line

_OUTCOMES = {
    "selected": lazy_gettext("入选"),
    "tie_at_last_seat": lazy_gettext("末位并列，待定"),
    "not_selected": lazy_gettext("未入选"),
}


def outcome_name(outcome: str) -> str:
    return str(_OUTCOMES.get(outcome, outcome))


def explain(line: Line, award: Award) -> str:
    """Why this rank, and why this outcome: votes, who has the same, and the seats."""
    ahead = line.rank - 1
    if line.equals > 1 and not ahead:
        rank = gettext("得票最多，%(n)s 个同票并列", n=line.equals)
    elif line.equals > 1:
        rank = gettext("%(ahead)s 个得票更多，%(n)s 个同票并列", ahead=ahead, n=line.equals)
    elif ahead:
        rank = gettext("%(ahead)s 个得票更多", ahead=ahead)
    else:
        rank = gettext("得票最多")
    if line.outcome == "tie_at_last_seat":
        left = award.seats - ahead
        return gettext(
            "%(rank)s；剩 %(left)s 个名额，%(n)s 个争，规则没有写明怎样决定。", rank=rank, left=left, n=line.equals
        )
    if line.outcome == "selected":
        if ahead + line.equals > award.seats:
            return gettext("%(rank)s；末位并列，按规则一并入选（名额 %(seats)s 个）。", rank=rank, seats=award.seats)
        return gettext("%(rank)s；在 %(seats)s 个名额内，入选。", rank=rank, seats=award.seats)
    if line.votes == 0:
        return gettext("%(rank)s；没有得票，不能入选。", rank=rank)
    return gettext("%(rank)s；%(seats)s 个名额已满，未入选。", rank=rank, seats=award.seats)
