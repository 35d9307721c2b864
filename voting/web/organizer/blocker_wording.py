"""What stands against opening or publishing, in words.

What the rules find has its words in ``finding_wording``. What the stores find comes as English lines, which the command
line prints as they are; every one of them is known here by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask_babel import gettext

from voting.rules.campaign import RuleSet
from voting.rules.errors import NotReadyToOpen, NotReadyToPublish, Refusal
from voting.services.stages import StageView
from voting.web.organizer.finding_wording import finding_sentence


def blockers_of(state: StageView, problem: Refusal | None = None) -> list[str]:
    """Everything that stands in the way of the next stage; ``problem`` is what an act has just been refused for."""
    lines = state.blockers
    if isinstance(problem, NotReadyToOpen):
        lines = problem.issues
    elif isinstance(problem, NotReadyToPublish):
        lines = problem.reasons
    told = {finding.text for finding in state.findings}
    rest = [blocker_words(line, state.campaign.rules) for line in lines if line not in told]
    return [finding_sentence(finding) for finding in state.findings] + rest


def blocker_words(line: str, rules: RuleSet) -> str:
    """One line in words; a line of an unknown shape stands as it is, so that nothing is kept back."""
    for shape, words in _SHAPES:
        if found := shape.fullmatch(line):
            return words(found, rules)
    return line


def _award(key: str, rules: RuleSet) -> str:
    return next((f"「{award.name}」" for award in rules.awards if award.key == key), key)


Words = Callable[[re.Match[str], RuleSet], str]
_SHAPES: list[tuple[re.Pattern[str], Words]] = [
    (re.compile(shape), words)
    for shape, words in (
        (
            r"the box is missing but (\d+) ballots are recorded: .*",
            lambda f, r: gettext(
                "票箱不见了，但已有 %(n)s 张选票入账。请系统管理员执行 flask ledger rebuild。", n=f[1]
            ),
        ),
        ("nothing has been counted", lambda f, r: gettext("还没有清点。")),
        (
            r"ledger and tally differ for (\d+) candidates: .*",
            lambda f, r: gettext("台账与即时统计有 %(n)s 个候选对象不一致，请先核对（监看页的“核对”）。", n=f[1]),
        ),
        (
            r"award (.+): (\d+) candidates are tied across the last seat; .*",
            lambda f, r: gettext(
                "%(name)s有 %(n)s 个候选对象在末位并列，规则没有写明怎样决定。",
                name=_award(f[1], r),
                n=f[2],
            ),
        ),
    )
]
