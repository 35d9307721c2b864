"""What the desk says about candidates: what is wrong with a field, a file or a photo, and names of acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, lazy_gettext

from voting.rules import candidate_errors as errors
from voting.rules.errors import Refusal
from voting.web.organizer.import_wording import character

ACTS = {
    "candidate.edit": lazy_gettext("修改候选对象"),
    "candidate.withdraw": lazy_gettext("退出评选"),
    "candidate.disqualify": lazy_gettext("取消资格"),
    "candidate.return": lazy_gettext("恢复参评"),
    "candidates.number": lazy_gettext("重新编号"),
}
FIELDS = {
    "name": lazy_gettext("名称"),
    "number": lazy_gettext("编号"),
    "area_code": lazy_gettext("区划代码"),
    "group_key": lazy_gettext("类别"),
    "summary": lazy_gettext("简介"),
    "story": lazy_gettext("事迹"),
}
METHODS = {
    "draw": lazy_gettext("抽签"),
    "area": lazy_gettext("按地区"),
    "name": lazy_gettext("按名称拼音"),
}
_PHOTOS = {
    "path": lazy_gettext("文件名含有路径，不能使用"),
    "number": lazy_gettext("文件名不是以编号开头"),
    "unknown": lazy_gettext("没有这个编号的候选对象"),
    "double": lazy_gettext("同一编号已有另一张照片"),
    "locked": lazy_gettext("文件有密码"),
    "bytes": lazy_gettext("超过 5 MB"),
    "pixels": lazy_gettext("超过 2500 万像素"),
    "format": lazy_gettext("不是完好的 JPEG、PNG 或 WebP 照片"),
}
PLAIN: dict[type[Refusal], tuple[Any, Any]] = {
    errors.CandidateRefused: (
        lazy_gettext("有的内容不能这样填写，还没有保存。"),
        lazy_gettext("请修改标出的内容后再保存。"),
    ),
    errors.ChangedMeanwhile: (
        lazy_gettext("这期间有别人改动过，您的改动还没有保存。"),
        lazy_gettext("请对照最新的内容，确认后再提交一次。"),
    ),
    errors.PhotoChanged: (
        lazy_gettext("这期间有别人换过照片，您的改动还没有保存。"),
        lazy_gettext("请看看现在的照片，再决定用哪一张。"),
    ),
    errors.ReasonNeeded: (lazy_gettext("请写明理由。"), lazy_gettext("理由会写进操作记录。")),
    errors.StandsAlready: (lazy_gettext("状态已经改过了。"), lazy_gettext("请查看最新的状态。")),
    errors.UploadNotFound: (
        lazy_gettext("没有找到这个文件。"),
        lazy_gettext("上传的文件只保留四小时，只有上传的人能继续。请重新上传。"),
    ),
}


def field_name(name: str) -> str:
    return str(FIELDS[name])


def photo_problem(problem: str) -> str:
    """Why a file of a zip was left out."""
    return str(_PHOTOS[problem])


def field_problem(found: errors.FieldProblem) -> str:
    """What is wrong with a field, below it."""
    sentences: dict[str, Callable[[], str]] = {
        "empty": lambda: gettext("请填写这一项。"),
        "long": lambda: gettext("最多 %(n)s 个字。", n=found.fact),
        "hidden": lambda: gettext("含有不能显示的字符：%(char)s。", char=character(found.fact)),
        "area": lambda: gettext("没有这个区划代码：%(code)s。", code=found.fact),
        "number": lambda: gettext("请填 1 至 9999999 的整数。"),
        "group": lambda: gettext("请从列表中选择。"),
        "taken": lambda: gettext("这个编号已经属于%(name)s。", name=found.fact),
    }
    return sentences[found.problem]()


def _frozen(refusal: errors.FieldsFrozen) -> tuple[str, str]:
    names = "、".join(field_name(name) for name in refusal.fields)
    return gettext("投票开始后不能再改：%(names)s。", names=names), gettext("简介、事迹和照片仍然可以改。")


def _taken(refusal: errors.NumbersTaken) -> tuple[str, str]:
    return (
        gettext("编号 %(n)s 已经属于另一个奖项。", n=refusal.first),
        gettext("请换一个起始编号，或先给另一个奖项编号。"),
    )


def _upload(refusal: errors.UploadRefused) -> tuple[str, str]:
    most_mb = refusal.most // 1_000_000
    sentences: dict[str, Callable[[], tuple[str, str]]] = {
        "none": lambda: (gettext("还没有选择文件。"), gettext("请选择文件后再上传。")),
        "bytes": lambda: (gettext("文件超过 %(n)s MB。", n=most_mb), gettext("请拆成几个文件，分几次上传。")),
        "kind": lambda: (gettext("这不是 zip 压缩包。"), gettext("请把照片压缩成一个 .zip 文件再上传。")),
        "files": lambda: (gettext("压缩包里的文件超过 %(n)s 个。", n=refusal.most), gettext("请分几次上传。")),
        "unpacked": lambda: (gettext("压缩包解压后太大。"), gettext("照片每张最多 5 MB，请分几次上传。")),
        "empty": lambda: (gettext("压缩包是空的。"), gettext("请把照片放进压缩包再上传。")),
    }
    return sentences.get(refusal.problem, sentences["kind"])()


WITH_FACTS: dict[type[Refusal], Callable[[Any], tuple[str, str]]] = {
    errors.FieldsFrozen: _frozen,
    errors.NumbersTaken: _taken,
    errors.UploadRefused: _upload,
}
