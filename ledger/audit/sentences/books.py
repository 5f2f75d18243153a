"""What is said of the books: credits, memberships and what else a line changes, shared pools."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, str]] = {
    "credits.balance_after": (
        "The entry says a balance of {found}; the entries before it give {right}.",
        "该笔记载余额为 {found}，而此前各笔合计为 {right}。",
    ),
    "credits.too_large": ("A number is larger than it may be.", "数值超出允许范围。"),
    "credits.amount_sign": (
        "The amount, category, evidence or reference is none that this kind of entry can have.",
        "该类记录不能有此金额、类别、凭证或引用。",
    ),
    "credits.kind": ("There is no kind of entry {kind}.", "没有第 {kind} 种记录。"),
    "credits.carry_over": (
        "The balance is not carried over whole to the organisation's successor.",
        "余额未完整结转给继任组织。",
    ),
    "credits.refundable": (
        "More is given back or settled than was redeemed.",
        "退回或结清的多于已兑换的。",
    ),
    "credits.unmatched": (
        "Entry {entry} and the redemption that it is of do not say the same.",
        "第 {entry} 笔记录与其对应的兑换不一致。",
    ),
    "credits.no_epoch": (
        "Programme {programme} had no epoch at this time.",
        "计划 {programme} 此时没有周期。",
    ),
    "credits.category": (
        "The category {category} was not open.",
        "类别 {category} 未开放。",
    ),
    "credits.standing": (
        "Organisation {organisation} was not in good standing in programme {programme}.",
        "组织 {organisation} 在计划 {programme} 中并非有效成员。",
    ),
    "credits.cap": (
        "Programme {programme} went over its supply cap of {cap}.",
        "计划 {programme} 超出总量上限 {cap}。",
    ),
    "credits.per_award": (
        "The award is larger than the {most} that its issuer may award at once.",
        "该奖励超出发放人单笔上限 {most}。",
    ),
    "credits.budget": (
        "With it {spent} were spent of a budget of {most}.",
        "至此已用 {spent}，超出预算 {most}。",
    ),
    "credits.refers": (
        "Entry {entry} is not what it refers to, or not of this organisation and programme.",
        "所引用的第 {entry} 笔不符，或不属于该组织与计划。",
    ),
    "credits.reversal_amount": (
        "Of award {entry}, {right} could be taken back.",
        "第 {entry} 笔奖励可撤销的金额为 {right}。",
    ),
    "credits.below_zero": (
        "The balance falls below zero, which this kind of entry cannot make.",
        "余额低于零，此类记录不应造成。",
    ),
    "credits.double_entry": (
        "Credits less debits, the balances, and the programmes' totals are not one number.",
        "贷方减借方、各余额之和与各计划总额不一致。",
    ),
    "state.unknown": ("There is no {what} {key}.", "没有 {what} {key}。"),
    "state.not_new": (
        "{what} {key} is not the next one, or its key is taken or malformed.",
        "{what} {key} 不是下一个，或其名称已用或不合格式。",
    ),
    "state.unchanged": (
        "{what} {key} was so already, or is not there.",
        "{what} {key} 此前已如此，或不存在。",
    ),
    "state.boundary": (
        "Boundary {number} is not the next one, or not after the others and the present.",
        "第 {number} 个周期边界次序有误或时间过早。",
    ),
    "state.controller_in_use": (
        "The account {account} is nobody, or acts for another organisation.",
        "账户 {account} 为空，或已是其他组织的控制人。",
    ),
    "state.controller_before": (
        "The controller before was another one.",
        "此前的控制人并非如此。",
    ),
    "state.recovery": (
        "There was no such recovery under way, or its time had not come.",
        "没有此恢复程序，或时限未到。",
    ),
    "state.successor": (
        "Organisation {organisation} cannot end so, or its successor cannot take over.",
        "组织 {organisation} 不能如此终止，或继任者无法接手。",
    ),
    "state.still_member": (
        "Organisation {organisation} was still a member.",
        "组织 {organisation} 仍是成员。",
    ),
    "state.membership": (
        "The membership was not in a state from which this can follow.",
        "成员资格的状态不允许此变更。",
    ),
    "state.tier_closed": ("Tier {tier} was not open.", "级别 {tier} 未开放。"),
    "state.listing": (
        "Listing {listing} was closed, sold out, out of its window, or cannot have these terms.",
        "福利 {listing} 已关闭、售罄、不在有效期，或条款不成立。",
    ),
    "state.distribution": (
        "Distribution {distribution} was not open, over its pool, or cannot have these terms.",
        "分配 {distribution} 未开放、超出总额，或条款不成立。",
    ),
    "shares.proof": (
        "The share of organisation {organisation} is not in the posted tree.",
        "组织 {organisation} 的份额不在已公布的树中。",
    ),
    "shares.no_rule": (
        "The pool was shared by the rule whose SHA-256 is {rule}, which was not given.",
        "该分配所依规则（SHA-256 为 {rule}）未提供。",
    ),
    "shares.not_computable": (
        "The pool cannot be shared by its rule: {problem}.",
        "无法按其规则计算该分配：{problem}。",
    ),
    "shares.nobody": (
        "By its rule and the epoch's entries nobody has a share of the pool.",
        "按其规则与该周期各笔记录，无人可得份额。",
    ),
    "shares.root": (
        "The posted tree of {pool} is {found}; rule and entries give {right} of {right_pool}.",
        "所公布的树为 {found}（总额 {pool}），按规则与记录应为 {right}（总额 {right_pool}）。",
    ),
}
