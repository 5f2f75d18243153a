"""What is said of who acted: rights, operations done once, councils, calls and signatures."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, str]] = {
    "rights.missing": (
        "{actor} did not hold the role {role} in programme {programme} at this point.",
        "{actor} 此时在计划 {programme} 中并无 {role} 角色。",
    ),
    "rights.not_admin": (
        "{actor} was not the default admin at this point.",
        "{actor} 此时不是默认管理员。",
    ),
    "rights.admin_step": (
        "A step of the default admin's succession was taken out of order or too early.",
        "默认管理员的交接步骤次序有误或过早。",
    ),
    "rights.paused": ("The ledger was paused at this point.", "此时账本处于暂停状态。"),
    "rights.not_paused": (
        "The ledger was resumed, and was not paused.",
        "账本未暂停，却被恢复。",
    ),
    "rights.role_unknown": ("There is no role {role}.", "没有 {role} 这一角色。"),
    "rights.already_held": ("The role was held already.", "该角色此前已被持有。"),
    "rights.not_held": ("The role was not held.", "该角色此前未被持有。"),
    "rights.not_controller": (
        "{actor} did not act for organisation {organisation} at this point.",
        "{actor} 此时并非组织 {organisation} 的控制人。",
    ),
    "rights.not_nominated": (
        "{actor} was not nominated by organisation {organisation}.",
        "{actor} 未获组织 {organisation} 提名。",
    ),
    "rights.not_own_award": (
        "{actor} reversed award {entry}, which another issuer made.",
        "{actor} 撤销了他人发放的第 {entry} 笔奖励。",
    ),
    "once.operation": (
        "Operation {operation} was done, or cancelled, before.",
        "操作 {operation} 此前已执行或已取消。",
    ),
    "once.operation_missing": ("The line has no operation id.", "该行没有操作编号。"),
    "once.reversal": (
        "Award {entry} was reversed already, by entry {by}.",
        "第 {entry} 笔奖励已由第 {by} 笔撤销。",
    ),
    "once.expiry": (
        "Award {entry} had expired or was reversed already.",
        "第 {entry} 笔奖励此前已到期或已撤销。",
    ),
    "once.redemption": (
        "Redemption {redemption} was settled already, or is another organisation's.",
        "第 {redemption} 笔兑换此前已结清，或属于其他组织。",
    ),
    "once.claim": (
        "Organisation {organisation} claimed its share a second time.",
        "组织 {organisation} 重复领取份额。",
    ),
    "once.approval": (
        "The councillor approved the proposal a second time.",
        "该理事重复批准提案。",
    ),
    "once.proposal": (
        "Proposal {proposal} was not open any more.",
        "提案 {proposal} 已不再开放。",
    ),
    "council.calls": (
        "The calls of the proposal are not shown, or are others than those proposed.",
        "提案的调用未公开，或与所提不符。",
    ),
    "council.expired": (
        "The proposal had expired, or is open for longer than it may be.",
        "提案已过期，或开放时间过长。",
    ),
    "council.moment": (
        "The proposal names another moment of the authority's history than its own.",
        "提案记载的授权时点有误。",
    ),
    "council.maker_approves": (
        "{actor} approved its own proposal.",
        "{actor} 批准了自己的提案。",
    ),
    "council.appointed_later": (
        "{actor}, or the maker, was not a councillor since before the proposal.",
        "{actor} 或提案人并非自提案前起即为理事。",
    ),
    "council.approvals_count": (
        "The number of approvals, or the programme, is another.",
        "批准数或计划不符。",
    ),
    "council.approvals_missing": (
        "It was carried out with {given} approvals that count, of {needed}.",
        "有效批准为 {given}，需要 {needed}，仍被执行。",
    ),
    "council.approvals_unusable": (
        "The number of approvals needed is not one that can be.",
        "所需批准数不成立。",
    ),
    "council.only_seat": (
        "Only the alliance's seat can do this, in carrying out a proposal.",
        "只有联盟席位在执行提案时方可为之。",
    ),
    "acts.unasked": (
        "The line is in the name of {actor}, and nothing in the transaction asks for it.",
        "该行以 {actor} 之名写下，但交易中无人请求。",
    ),
    "acts.unanswered": (
        "The transaction calls {function}, and no line answers that.",
        "交易调用了 {function}，但没有对应的行。",
    ),
    "acts.differs": (
        "The line's {field} is not what the transaction's calldata ask for.",
        "该行的 {field} 与交易的调用数据不符。",
    ),
    "acts.calldata": (
        "The transaction's calldata cannot be read: {problem}.",
        "交易的调用数据无法读取：{problem}。",
    ),
    "acts.signature": (
        "The message of {account} cannot be one that the contract takes.",
        "{account} 的消息不可能被合约接受。",
    ),
    "acts.signature_time": (
        "The message of {account} had expired, or was good for too long.",
        "{account} 的消息已过期，或有效期过长。",
    ),
    "acts.signature_cancelled": (
        "The message of {account} had been cancelled.",
        "{account} 的消息已被取消。",
    ),
    "acts.no_right": (
        "Nothing shows that {actor} asked for it: by no call, by no message, and not by its code.",
        "无从证明 {actor} 请求了该行：既无其调用，也无其消息，且其没有代码。",
    ),
}
