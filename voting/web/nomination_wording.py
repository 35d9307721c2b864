"""Nominations in words: their states, what is wrong with a field, what is refused, and names of acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.rules import nomination_errors as errors
from voting.rules.candidate_errors import FieldProblem
from voting.rules.errors import Refusal

TRAIL_ACTS = {
    "nominations.call": lazy_gettext("设置推荐"),
    "nomination.send": lazy_gettext("提交推荐"),
    "nomination.amend": lazy_gettext("补正推荐"),
    "nomination.return": lazy_gettext("退回推荐"),
    "nomination.decline": lazy_gettext("不予采纳推荐"),
    "nomination.accept": lazy_gettext("采纳推荐"),
}
STATES = {
    "sent": lazy_gettext("待审核"),
    "returned": lazy_gettext("已退回，待补正"),
    "accepted": lazy_gettext("已采纳"),
    "declined": lazy_gettext("未采纳"),
}
#: the fields of a nomination, as a form asks for them
LABELS = {
    "place": lazy_gettext("推荐到哪个奖项"),
    "name": lazy_gettext("被推荐的名称"),
    "area_code": lazy_gettext("所在地区"),
    "summary": lazy_gettext("简介"),
    "story": lazy_gettext("事迹"),
    "photo": lazy_gettext("照片"),
    "nominator": lazy_gettext("推荐人姓名"),
    "telephone": lazy_gettext("推荐人电话"),
    "consent": lazy_gettext("被推荐人知情同意"),
}
_PROBLEMS: dict[str, Callable[[str], str]] = {
    "empty": lambda fact: gettext("请填写这一项。"),
    "long": lambda fact: gettext("最多 %(n)s 个字。", n=fact),
    "hidden": lambda fact: gettext("含有不能显示的字符：%(char)s。", char=fact),
    "choose": lambda fact: gettext("请从列表中选择。"),
    "foreign": lambda fact: gettext("请选择您审核范围内的地区。"),
    "private": lambda fact: gettext("这里会公开，请去掉“%(what)s”：不要写门牌号、电话和身份证号。", what=fact),
    "telephone": lambda fact: gettext("请填 11 位手机号，或带区号的固定电话。"),
    "consent": lambda fact: gettext("请先征得被推荐人同意，再打勾。"),
    "photo": lambda fact: gettext("这张照片不能使用。请用不超过 5 MB、2500 万像素的 JPEG、PNG 或 WebP 照片。"),
    "lost": lambda fact: gettext("登录过期时照片没有收到，请再选择一次；不要照片就直接提交。"),
    "order": lambda fact: gettext("截止时间要晚于开始时间。"),
}
PLAIN: dict[type[Refusal], tuple[Any, Any]] = {
    errors.NominationsNotOpen: (lazy_gettext("推荐还没有开始。"), lazy_gettext("请在页面上写明的时间内提交。")),
    errors.NominationsOver: (
        lazy_gettext("推荐已经结束，没有提交。"),
        lazy_gettext("如有疑问，请拨打活动的咨询电话。"),
    ),
    errors.NominationNotFound: (lazy_gettext("没有找到这个推荐页面。"), lazy_gettext("请核对网址或 16 位推荐码。")),
    errors.NominationRefused: (
        lazy_gettext("有几处要修改，还没有提交。"),
        lazy_gettext("请看标红的地方，您填写的内容都还在。"),
    ),
    errors.NominationDecided: (
        lazy_gettext("您打开页面后，这条推荐已经有人处理或改动过，这次没有执行。"),
        lazy_gettext("请看下面的最新内容，再决定要不要继续。"),
    ),
    errors.OwnNomination: (
        lazy_gettext("这条推荐是您本人提交的，不能由您审核。"),
        lazy_gettext("请同一地区的另一位审核员或组织者审核。"),
    ),
    errors.CallRefused: (lazy_gettext("有几处填写得不对，还没有保存。"), lazy_gettext("请看标红的地方。")),
}
#: a page that lay open too long, in the words of this form; the vote's own words speak of ballots
STALE = (
    lazy_gettext("页面打开太久，还没有提交。"),
    lazy_gettext("您填写的内容都还在，请再按一次提交。请允许浏览器保存 Cookie。"),
)


def _waiting(refusal: errors.NominationsWaiting) -> tuple[str, str]:
    title = gettext("活动已收到 %(n)s 条推荐，不能删除。", n=refusal.candidates)
    return title, gettext("只能删除没有候选对象和推荐的筹备中活动。")


WITH_FACTS: dict[type[Refusal], Callable[[Any], tuple[str, str]]] = {errors.NominationsWaiting: _waiting}


def state_words(state: str) -> str:
    return str(STATES[state])


def problem_words(found: FieldProblem) -> str:
    """What is wrong with a field, beside it."""
    return _PROBLEMS[found.problem](found.fact)


def wrong_fields(refusal: Refusal | None) -> dict[str, str]:
    """Sentences by the names of the form's fields."""
    if not isinstance(refusal, errors.NominationRefused | errors.CallRefused):
        return {}
    # Award and group are one choice of the form.
    return {("place" if one.field == "award" else one.field): problem_words(one) for one in refusal.problems}
