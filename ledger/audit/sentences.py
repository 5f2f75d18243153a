"""Every sentence of an audit, in English and Chinese, by the code of its finding."""

from __future__ import annotations

from collections.abc import Mapping

_MISSING = frozenset(
    {
        "acts.no_right",
        "anchor.none",
        "anchor.outside",
        "anchor.beyond",
        "anchor.witnesses",
        "history.begins_later",
        "code.not_compiled",
        "code.no_compiler",
        "expiry.no_policy",
        "seals.validators",
        "shares.no_rule",
        "state.missing",
    }
)


def is_missing(code: str) -> bool:
    """Whether a finding says that something lacks, and not that something is wrong."""
    return code in _MISSING


SENTENCES: Mapping[str, tuple[str, str]] = {
    "bundle.unreadable": (
        "The file is not a bundle as it was written: {problem}.",
        "此文件不是写出时的审计包：{problem}。",
    ),
    "bundle.digest": (
        "The file is not the one whose SHA-256 the manifest has.",
        "文件的 SHA-256 与清单所载不符。",
    ),
    "bundle.contradiction": (
        "The manifest names another chain or another last block than the bundle holds.",
        "清单所载的链或末区块与包内内容不符。",
    ),
    "bundle.other_ledger": (
        "It is of another ledger than the bundle after it.",
        "它与其后的审计包不属于同一账本。",
    ),
    "anchor.none": (
        "No anchor was given, so nothing tells this history from one that was made up.",
        "没有提供锚点，无法区分此历史与伪造的历史。",
    ),
    "anchor.other_chain": (
        "The bundle is of another chain than the anchor.",
        "审计包所属的链与锚点不同。",
    ),
    "anchor.other_ledger": (
        "The bundle is of other contracts than the anchor names.",
        "审计包的合约与锚点所载不同。",
    ),
    "anchor.hash": (
        "The block has the hash {found}, and the anchor says {right}: history was rewritten.",
        "该区块哈希为 {found}，锚点所载为 {right}：历史已被改写。",
    ),
    "anchor.outside": (
        "The anchor is of block {anchor}, which is not in the bundle.",
        "锚点为区块 {anchor}，不在审计包内。",
    ),
    "anchor.beyond": (
        "The anchor is of block {anchor}; the {blocks} blocks after it rest on the operator alone.",
        "锚点为区块 {anchor}；其后 {blocks} 个区块仅凭运营方之言。",
    ),
    "anchor.witness": (
        "The signature is not that of witness {account} for this block.",
        "该签名不是见证人 {account} 对此区块的签名。",
    ),
    "anchor.witnesses": (
        "Of the witnesses that you accept {given} signed, and {needed} are needed.",
        "您认可的见证人中有 {given} 位签名，需要 {needed} 位。",
    ),
    "blocks.unreadable": (
        "The block cannot be read: {problem}.",
        "区块无法读取：{problem}。",
    ),
    "blocks.number": (
        "Block {found} stands in its place.",
        "此处应为该区块，却是区块 {found}。",
    ),
    "blocks.parent": (
        "It is not the child of the block before it.",
        "它不是前一区块的后继。",
    ),
    "blocks.time": (
        "Its time is before that of the block before it.",
        "其时间早于前一区块。",
    ),
    "blocks.body_missing": (
        "Its bloom says that the ledger may have logged in it, and its receipts are not there.",
        "其布隆过滤器表明可能有本账本的日志，但缺少其收据。",
    ),
    "blocks.transactions_root": (
        "Its transactions do not give the header's transactions root.",
        "其交易不符合区块头的交易根。",
    ),
    "blocks.receipts_root": (
        "Its receipts do not give the header's receipts root.",
        "其收据不符合区块头的收据根。",
    ),
    "blocks.bloom": (
        "Its bloom is not that of its logs, so that logs could be hidden by it.",
        "其布隆过滤器与日志不符，可能隐瞒日志。",
    ),
    "blocks.signer": (
        "The transaction's signature is not valid: {problem}.",
        "交易签名无效：{problem}。",
    ),
    "blocks.seals": (
        "Its validators' seals are refused: {problem}.",
        "其验证人封印被拒绝：{problem}。",
    ),
    "seals.validators": (
        "The validators named from here on do not follow from votes in these blocks.",
        "自此所载的验证人并非由这些区块中的投票得出。",
    ),
    "seals.other": (
        "The block is sealed by other validators than the anchor names.",
        "该区块由锚点所载以外的验证人封印。",
    ),
    "history.sequence": (
        "Line {found} of the journal stands where line {right} should: lines are missing or added.",
        "日志簿此处应为第 {right} 行，却是第 {found} 行：有行缺失或多出。",
    ),
    "history.begins_later": (
        "The history begins with line {found} of its journal; give the bundle before with --after.",
        "历史自日志簿第 {found} 行开始；请以 --after 提供前一审计包。",
    ),
    "history.head": (
        "The journal's head is not that of its history: a line was altered, dropped or added.",
        "日志簿的链头与其历史不符：有行被改动、删除或添加。",
    ),
    "history.unknown_event": (
        "Nobody knows the event {topic}.",
        "未知事件 {topic}。",
    ),
    "history.undecodable": (
        "The log is not written as its event has to be: {problem}.",
        "日志的写法不符合其事件：{problem}。",
    ),
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
    "state.tier_closed": ("Tier {tier} was not open.", "等级 {tier} 未开放。"),
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
    "state.proof": ("The proof is refused: {problem}.", "证明被拒绝：{problem}。"),
    "state.missing": ("A proof of its state is not there.", "缺少其状态的证明。"),
    "state.order": (
        "There are proofs that nothing asks for, or they are out of order.",
        "有多余的证明，或次序有误。",
    ),
    "state.journal": (
        "The contract's own head or sequence is not where its lines lead.",
        "合约自身的链头或行数与日志簿不符。",
    ),
    "state.totals": (
        "The contract's own totals of a programme are not those of the entries.",
        "合约自身的计划总额与各笔记录不符。",
    ),
    "claims.balance": (
        "The operator says another balance than the entries give, which is {right}.",
        "运营方所称余额与各笔记录不符，应为 {right}。",
    ),
    "claims.totals": (
        "The operator says other totals than the entries give.",
        "运营方所称总额与各笔记录不符。",
    ),
    "compare.differs": (
        "The database has {found}, and the proved history gives {right}.",
        "数据库为 {found}，已证明的历史为 {right}。",
    ),
    "compare.missing": (
        "The row is not in the database.",
        "数据库中缺少此行。",
    ),
    "compare.added": (
        "The row is in the database, and not in the proved history.",
        "数据库中有此行，已证明的历史中没有。",
    ),
    "outbox.unexplained": (
        "The key {key} signed it, and no operation of this database explains it.",
        "密钥 {key} 签署了此交易，但本数据库中没有对应的操作。",
    ),
    "outbox.no_act": (
        "Operation {operation} is said to have written lines by it, and it is not in that block.",
        "据称操作 {operation} 由此交易写入，但该区块中并无此交易。",
    ),
    "certificate.differs": (
        "What the certificate says is not what its proofs prove.",
        "证书所载与其证明不符。",
    ),
    "code.differs": (
        "The code on the chain is not that of this release.",
        "链上代码与本版本不符。",
    ),
    "code.sources": (
        "The sources are not those of this release.",
        "源代码与本版本不符。",
    ),
    "code.compiled_differs": (
        "The sources compile to other code than the release's.",
        "源代码编译结果与本版本代码不符。",
    ),
    "code.not_compiled": (
        "The sources were not compiled, so that they may not be those of the code.",
        "未编译源代码，无法确认其与代码一致。",
    ),
    "code.no_compiler": (
        "The sources could not be compiled: {problem}.",
        "源代码无法编译：{problem}。",
    ),
    "expiry.no_policy": (
        "{count} expiries were posted, and no policy was given to compare them with.",
        "有 {count} 笔到期记录，但未提供用于核对的到期政策。",
    ),
    "expiry.no_journal": (
        "The entry cannot follow from those before it, so expiries were not compared.",
        "该笔无法由此前各笔得出，未能核对到期。",
    ),
    "expiry.wrong": (
        "{amount} of award {award} expired, where {due} were due.",
        "第 {award} 笔奖励到期 {amount}，应到期 {due}。",
    ),
}
