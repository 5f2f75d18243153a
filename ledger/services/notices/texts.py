"""The words of a notice, in Chinese and English: plain text, and nothing but what it must say.

Whoever chose no language gets both, Chinese first. Names come from people and stand in a subject
line, so they are of one line; what is kept of a notice are ids alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ledger.office.notices import Notice

_SUBJECTS = {
    "membership.expiring": ("会员资格将于{day}到期", "Your membership ends on {day}"),
    "entry.posted": ("积分账有新记录", "New entries in your credit account"),
    "application.admitted": ("入会申请已获批准", "Your application was granted"),
    "application.declined": ("入会申请未获批准", "Your application was declined"),
}
_BODIES = {
    "membership.expiring": (
        "{name}：\n\n贵单位在“{programme}”的会员资格将于{day}到期。如需续期，请与秘书处联系。",
        (
            "{name},\n\nyour membership in “{programme}” ends on {day}. Please turn to the "
            "office to have it renewed."
        ),
    ),
    "entry.posted": (
        "{name}：\n\n贵单位的积分账有以下新记录：\n\n{lines}",
        "{name},\n\nthese entries were added to your credit account:\n\n{lines}",
    ),
    "application.admitted": (
        "{name}：\n\n贵单位加入“{programme}”的申请已获批准，会员资格有效期至{day}。",
        (
            "{name},\n\nyour application to “{programme}” was granted. The membership lasts until "
            "{day}."
        ),
    ),
    "application.declined": (
        "{name}：\n\n贵单位加入“{programme}”的申请未获批准。原因：{reason}。",
        "{name},\n\nyour application to “{programme}” was declined. The reason: {reason}.",
    ),
}
_REASONS = {
    "documents.missing": ("缺少材料", "documents are missing"),
    "fee.unpaid": ("未缴纳会费", "the fee was not paid"),
    "membership.lapsed": ("会员资格已过期", "the membership has lapsed"),
    "report.overdue": ("逾期未提交报告", "a report is overdue"),
    "term.ended": ("会员期限已满", "the term has ended"),
}
"""What usual reasons are called; another one is told by its key."""

_ENDS = (
    "本邮件由系统自动发送。如不再需要此类通知，请使用邮件程序的退订功能，或告知秘书处。",
    (
        "This message was sent by a machine. To get no more of them, use your mail program's "
        "unsubscribe button, or tell the office."
    ),
)


def write_notice(
    notice: Notice, *, names: tuple[str, str], programme: tuple[str, str], language: str
) -> tuple[str, str]:
    """Subject and text. `names` and `programme` are in Chinese and English, either may be empty."""
    chosen = {"zh-CN": (0,), "en": (1,)}.get(language, (0, 1))
    subjects, parts = [], []
    for which in chosen:
        values = _values(notice.facts, names, programme, which)
        subjects.append(_SUBJECTS[notice.kind][which].format_map(values))
        parts.append(_BODIES[notice.kind][which].format_map(values) + "\n\n" + _ENDS[which])
    return " · ".join(subjects), "\n\n--\n\n".join(parts) + "\n"


def _values(
    facts: dict[str, Any], names: tuple[str, str], programme: tuple[str, str], which: int
) -> dict[str, str]:
    ends = facts.get("expires_at")
    lines = [
        f"#{each['entry_id']}  {each['amount']:+d}  {each['category'] or each['kind']}"
        for each in facts.get("entries", ())
    ]
    key = str(facts.get("programme", ""))
    return {
        "name": names[which] or names[1 - which] or ("贵单位", "Dear member")[which],
        "programme": programme[which] or programme[1 - which] or key,
        "day": "" if ends is None else datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d"),
        "reason": _reason_in(str(facts.get("reason", "")), which),
        "lines": "\n".join(lines),
    }


def _reason_in(key: str, which: int) -> str:
    """The reason in words, with its key, which is what the chain has of it."""
    if key not in _REASONS:
        return key
    return _REASONS[key][which] + ("（{}）", " ({})")[which].format(key)
