"""The desk in words: roles, states, acts of the trail, and what it says no to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.rules import account_errors as errors
from voting.rules import change_errors, stage_errors
from voting.rules import draft_errors as drafts
from voting.rules.errors import Refusal
from voting.web import nomination_wording
from voting.web.organizer import candidate_wording
from voting.web.times import duration, now_ms

_ROLES = {
    "administrator": lazy_gettext("管理员"),
    "organizer": lazy_gettext("组织者"),
    "reviewer": lazy_gettext("审核员"),
    "judge": lazy_gettext("评委"),
    "auditor": lazy_gettext("监督员"),
}
_STATES = {
    "invited": lazy_gettext("等待设置密码"),
    "active": lazy_gettext("正常"),
    "locked": lazy_gettext("暂时锁定"),
    "disabled": lazy_gettext("已停用"),
}
_ACTS = {
    "account.create": lazy_gettext("新建账号"),
    "account.invite": lazy_gettext("重新邀请"),
    "account.accept": lazy_gettext("启用账号"),
    "account.lock": lazy_gettext("锁定账号"),
    "account.recover": lazy_gettext("使用备用码"),
    "account.password": lazy_gettext("修改密码"),
    "account.roles": lazy_gettext("修改职责"),
    "account.disable": lazy_gettext("停用账号"),
    "session.begin": lazy_gettext("登录"),
    "session.end": lazy_gettext("退出"),
    "session.revoke": lazy_gettext("退出其他设备"),
    "campaign.create": lazy_gettext("新建活动"),
    "campaign.edit": lazy_gettext("修改活动"),
    "campaign.discard": lazy_gettext("删除空活动"),
    "campaign.open": lazy_gettext("开始投票"),
    "campaign.pause": lazy_gettext("暂停投票"),
    "campaign.resume": lazy_gettext("恢复投票"),
    "campaign.close": lazy_gettext("截止并封箱"),
    "campaign.count": lazy_gettext("清点"),
    "campaign.publish": lazy_gettext("公布结果"),
    "candidates.import": lazy_gettext("导入候选对象"),
    "areas.import": lazy_gettext("导入地区"),
    "candidate.photo": lazy_gettext("更换照片"),
    "ballot.void": lazy_gettext("作废选票"),
    **candidate_wording.ACTS,
    **nomination_wording.TRAIL_ACTS,
    "publish.ask": lazy_gettext("申请公布结果"),
    "publish.withdraw": lazy_gettext("撤回公布申请"),
    "rules.ask": lazy_gettext("申请变更规则"),
    "rules.change": lazy_gettext("确认变更规则"),
    "rules.in_force": lazy_gettext("新规则生效"),
    "rules.withdraw": lazy_gettext("撤回变更申请"),
    "close.ask": lazy_gettext("申请提前截止"),
    "close.withdraw": lazy_gettext("撤回提前截止申请"),
    "campaign.banner": lazy_gettext("更换横幅"),
    "campaign.audit": lazy_gettext("核对选票"),
    "export.candidates": lazy_gettext("导出候选对象"),
    "export.standings": lazy_gettext("导出名次"),
    "export.ballots": lazy_gettext("导出选票"),
    "export.trail": lazy_gettext("导出操作记录"),
}
_PROBLEMS = {
    "too_short": lazy_gettext("至少 12 个字符"),
    "too_long": lazy_gettext("最多 128 个字符"),
    "too_common": lazy_gettext("不要用常见的密码"),
    "too_plain": lazy_gettext("不要用重复或连续的字符"),
    "like_name": lazy_gettext("不要用账号或姓名"),
}
PLAIN: dict[type[Refusal], tuple[Any, Any]] = {
    errors.SignInFailed: (
        lazy_gettext("账号、密码或动态验证码不对。"),
        lazy_gettext("请核对后再试。动态验证码每 30 秒换一次，每个只能用一次。"),
    ),
    errors.SignInNeeded: (lazy_gettext("请先登录。"), lazy_gettext("登录后继续。")),
    errors.NotPermitted: (
        lazy_gettext("您的账号没有这项职责。"),
        lazy_gettext("如果工作需要，请联系管理员。"),
    ),
    errors.InvitationInvalid: (
        lazy_gettext("这个邀请链接不能用了。"),
        lazy_gettext("链接只能用一次，三天内有效。请联系管理员重新发送。"),
    ),
    errors.CodeRefused: (
        lazy_gettext("动态验证码不对。"),
        lazy_gettext("请用手机应用扫描二维码，再输入它显示的 6 位数字。手机时间要准。"),
    ),
    errors.UnknownRole: (lazy_gettext("请选择至少一项职责。"), lazy_gettext("选好后再保存。")),
    errors.AreaNeeded: (lazy_gettext("审核员要有审核地区。"), lazy_gettext("请填写一个县（市、区）或镇的区划代码。")),
    errors.AccountNotFound: (lazy_gettext("没有这个账号。"), lazy_gettext("请返回账号列表。")),
    drafts.CampaignFrozen: (
        lazy_gettext("活动已经开始，规则和文字不能再直接修改。"),
        lazy_gettext("规则在开始投票时已经冻结并公布。确需改动，要另一位组织者同意，并公开改动前后的内容。"),
    ),
    drafts.BannerNeedsWords: (
        lazy_gettext("请写明横幅上有什么，最多 200 个字。"),
        lazy_gettext("看不见图片的人靠它知道横幅的内容。写好后请重新选择图片。"),
    ),
    drafts.PresetNotFound: (lazy_gettext("没有这一套规则。"), lazy_gettext("请返回，从列表中选择。")),
    errors.LastAdministrator: (
        lazy_gettext("这是最后一个管理员账号，不能停用或改变职责。"),
        lazy_gettext("请先给另一个人管理员职责。"),
    ),
    **candidate_wording.PLAIN,
    **nomination_wording.PLAIN,
    stage_errors.ChangedMeanwhile: (
        lazy_gettext("您打开页面后，活动有了变化，这次没有执行。"),
        lazy_gettext("请看下面的最新状态，再决定要不要继续。"),
    ),
    stage_errors.PauseReasonRefused: (
        lazy_gettext("请写明暂停的理由，最多 200 个字。"),
        lazy_gettext("理由会显示给所有投票人。"),
    ),
    stage_errors.SecondPersonNeeded: (
        lazy_gettext("这份申请是您本人提出的，不能由您确认。"),
        lazy_gettext("请另一位组织者登录自己的账号确认。"),
    ),
    stage_errors.NothingAsked: (
        lazy_gettext("没有等待确认的申请。"),
        lazy_gettext("申请可能已经确认、撤回，或者失效。请看最新状态。"),
    ),
    change_errors.RuleChangeRefused: (
        lazy_gettext("规则不能这样变更，没有执行。"),
        lazy_gettext("请处理下面列出的问题。"),
    ),
    change_errors.ChangeReasonRefused: (
        lazy_gettext("请写明理由，不要太长。"),
        lazy_gettext("理由会向所有人公布。"),
    ),
    change_errors.EarlyCloseNeedsTwo: (
        lazy_gettext("还没有到规则写明的截止时间，一个人不能截止。"),
        lazy_gettext("请申请提前截止，由另一位组织者确认；情况紧急时可以先暂停投票。"),
    ),
    change_errors.BoxNotTold: (
        lazy_gettext("变更已由两个人决定并入账，但票箱没有回应，还没有换上新规则。"),
        lazy_gettext("现在不受理选票。请稍等片刻，按“完成变更”。"),
    ),
    stage_errors.AuditRunning: (
        lazy_gettext("正在核对，还没有完成。"),
        lazy_gettext("同一活动一次只做一次核对，请过几分钟再看。"),
    ),
    stage_errors.RecordingUnfinished: (
        lazy_gettext("已经封箱，但还有选票没有入账，暂不清点。"),
        lazy_gettext("没有选票丢失。请等一两分钟，再按“重新清点”；仍然不行，请联系系统管理员。"),
    ),
}


def role_name(role: str) -> str:
    return str(_ROLES[role])


def state_name(state: str) -> str:
    return str(_STATES[state])


def act_name(act: str) -> str:
    """An act of the trail in words; one without words stands as it is."""
    return str(_ACTS.get(act, act))


def _locked(refusal: errors.AccountLocked) -> tuple[str, str]:
    left_s = max(60, (refusal.until_ms - now_ms()) // 1000)
    return gettext("连续输错多次，账号暂时锁定。"), gettext("请等 %(time)s 再试。", time=duration(left_s))


def _password(refusal: errors.PasswordRefused) -> tuple[str, str]:
    problems = "；".join(str(_PROBLEMS[problem]) for problem in refusal.problems)
    return gettext("这个密码不够安全。"), gettext("请换一个：%(problems)s。", problems=problems)


def _name(refusal: errors.NameRefused) -> tuple[str, str]:
    if refusal.problem == "taken":
        return gettext("这个账号已经有人用了。"), gettext("请换一个账号。")
    return gettext("账号或姓名不能这样写。"), gettext("账号用 2 至 64 位小写字母、数字、点和横线；姓名最多 64 个字。")


def _apart(refusal: errors.RolesApart) -> tuple[str, str]:
    names = "、".join(role_name(role) for role in refusal.roles)
    return gettext("一个账号不能同时是%(names)s。", names=names), gettext("请分给不同的人。")


def _draft_changed(refusal: drafts.DraftChanged) -> tuple[str, str]:
    title = gettext("您打开这一页以后，%(who)s 已经保存过，您的修改还没有保存。", who=refusal.by or gettext("别人"))
    return title, gettext("两边的内容列在下面，您填写的都还在。核对后再保存，就以您的为准。")


def _place_in_use(refusal: drafts.PlaceInUse) -> tuple[str, str]:
    title = gettext("「%(name)s」已有 %(n)s 个候选对象，不能删除。", name=refusal.name, n=refusal.candidates)
    return title, gettext("请先把这些候选对象移走或删除，再删它。其余内容都还在，没有保存。")


def _not_empty(refusal: drafts.DraftNotEmpty) -> tuple[str, str]:
    title = gettext("活动里有 %(n)s 个候选对象，不能删除。", n=refusal.candidates)
    return title, gettext("只能删除没有候选对象的筹备中活动。")


def _too_long(refusal: stage_errors.TooLongForExcel) -> tuple[str, str]:
    title = gettext("这张表有 %(rows)s 行，超过 Excel 文件的上限 %(most)s 行。", rows=refusal.rows, most=refusal.most)
    return title, gettext("请改用 CSV 格式，没有行数限制。")


def _already_asked(refusal: change_errors.AlreadyAsked) -> tuple[str, str]:
    title = gettext("%(who)s 的申请还在等待确认，一次只能有一份。", who=refusal.by)
    return title, gettext("请先确认或撤回那一份。")


WITH_FACTS: dict[type[Refusal], Callable[[Any], tuple[str, str]]] = {
    drafts.DraftChanged: _draft_changed,
    drafts.PlaceInUse: _place_in_use,
    drafts.DraftNotEmpty: _not_empty,
    errors.AccountLocked: _locked,
    errors.PasswordRefused: _password,
    errors.NameRefused: _name,
    errors.RolesApart: _apart,
    **candidate_wording.WITH_FACTS,
    **nomination_wording.WITH_FACTS,
    stage_errors.TooLongForExcel: _too_long,
    change_errors.AlreadyAsked: _already_asked,
}
