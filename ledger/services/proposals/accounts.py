"""Sentences of `Credits` and its tokens, of `Benefits` and of `Shares`."""

from __future__ import annotations

from ledger.services.proposals.sentence import Sentence

SENTENCES = {
    "Credits.award": Sentence(
        "Awards {total} credits in {programmeId}, in {count:entry/entries}.",
        "在{programmeId}中记入{total}积分，共{count}笔。",
        "{amount} credits to {orgId} for {category}",
        "{orgId}因{category}得{amount}积分",
    ),
    "Credits.awardBySignature": Sentence(
        "Awards {total} credits in {programmeId}, in {count:entry/entries}, as {signer} signed, "
        "good until {deadline}.",
        "按{signer}的签名（有效至{deadline}），在{programmeId}中记入{total}积分，共{count}笔。",
        "{amount} credits to {orgId} for {category}",
        "{orgId}因{category}得{amount}积分",
    ),
    "Credits.reverse": Sentence(
        "Reverses {count:award/awards} of {total} credits in {programmeId}; of those that expired "
        "in part, the rest.",
        "冲销{programmeId}中的{count}笔记入，共{total}积分；已部分失效的，冲销其余部分。",
        "entry {entryId}: {amount} credits of {orgId} for {category}",
        "第{entryId}号分录：{orgId}因{category}所得的{amount}积分",
    ),
    "Credits.expire": Sentence(
        "Lets up to {total} credits in {programmeId} expire, of {count:award/awards}; less where "
        "they were spent by then.",
        "使{programmeId}中{count}笔记入的至多{total}积分失效；届时已被使用的不再失效。",
        "up to {amount} credits of {orgId}, of entry {entryId} for {category}, leaving it at least "
        "{leaves}",
        "{orgId}的至多{amount}积分，来自第{entryId}号分录（{category}），其余额至少保留{leaves}积分",
    ),
    "Credits.carryOver": Sentence(
        "Carries the balances of {count:merged organisation/merged organisations} in {programmeId} "
        "over to their successors.",
        "将{count}家已并入其他组织的组织在{programmeId}中的余额结转给承继组织。",
        "{row}",
        "{row}",
    ),
    "Credits.redeem": Sentence(
        "Takes {amount} credits from {orgId} in {programmeId}. Refused: only the contract Benefits "
        "may.",
        "扣除{orgId}在{programmeId}中的{amount}积分。会被拒绝：只有权益合约可以这样做。",
    ),
    "Credits.refund": Sentence(
        "Gives {amount} credits back to {orgId} in {programmeId}. Refused: only the contract "
        "Benefits may.",
        "退还{orgId}在{programmeId}中的{amount}积分。会被拒绝：只有权益合约可以这样做。",
    ),
    "Credits.settle": Sentence(
        "Gives up the room for refunds of {amount} credits in {programmeId}. Refused: only the "
        "contract Benefits may.",
        "放弃{programmeId}中{amount}积分的退还余地。会被拒绝：只有权益合约可以这样做。",
    ),
    "Benefits.list": Sentence(
        "Lists a benefit in {programmeId}: {price} credits a unit, {capacity} units in all, "
        "{perOrganisation} for one organisation, from {opensAt} to before {closesAt}.",
        "在{programmeId}中发布一项权益：每份{price}积分，共{capacity}份，每家组织最多"
        "{perOrganisation}份，自{opensAt}起至{closesAt}前。",
    ),
    "Benefits.close": Sentence(
        "Closes the benefit of listing {listingId} for good.", "永久关闭第{listingId}号权益。"
    ),
    "Benefits.redeem": Sentence(
        "Redeems {quantity} units of listing {listingId} for {orgId}. Only its controller may.",
        "为{orgId}兑换{quantity}份第{listingId}号权益。只有其代表账户可以这样做。",
    ),
    "Benefits.redeemBySignature": Sentence(
        "Redeems {quantity} units of listing {listingId} for {orgId}, as {signer} signed, good "
        "until {deadline}.",
        "按{signer}的签名（有效至{deadline}），为{orgId}兑换{quantity}份第{listingId}号权益。",
    ),
    "Benefits.fulfil": Sentence(
        "Records that {count:redemption/redemptions} in {programmeId} were fulfilled; they "
        "can no longer be refunded.",
        "记录{programmeId}中的{count}项兑换已履行；此后不能再退还。",
        "redemption {row}",
        "第{row}号兑换",
    ),
    "Benefits.cancel": Sentence(
        "Cancels redemption {redemptionId} and gives its credits back.",
        "取消第{redemptionId}号兑换并退还其积分。",
    ),
    "Shares.post": Sentence(
        "Shares a pool of {pool} {unit} by the contributions of epoch {epoch} of {programmeId}, to "
        "be claimed from {claimableFrom} to before {claimableUntil}. Recompute the root {root} by "
        "the rule {rule} before you approve.",
        "按{programmeId}第{epoch}周期的贡献分配{pool}份{unit}，可自{claimableFrom}起至"
        "{claimableUntil}前领取。批准前请按规则{rule}重新计算根值{root}。",
    ),
    "Shares.withdraw": Sentence(
        "Withdraws distribution {distributionId}: nothing more of it can be claimed. What was "
        "claimed by then stands.",
        "撤回第{distributionId}号分配：此后不能再领取；此前已领取的仍然有效。",
    ),
    "Shares.claim": Sentence(
        "Claims {amount} units of distribution {distributionId} for {orgId}. Only its controller "
        "may.",
        "为{orgId}领取第{distributionId}号分配的{amount}份。只有其代表账户可以这样做。",
    ),
    "Shares.claimBySignature": Sentence(
        "Claims {amount} units of distribution {distributionId} for {orgId}, as {signer} signed, "
        "good until {deadline}.",
        "按{signer}的签名（有效至{deadline}），为{orgId}领取第{distributionId}号分配的{amount}份。",
    ),
    "CreditTokens.create": Sentence(
        "Puts the token by which wallets see the credits of {programmeId} on the chain.",
        "在链上设立让钱包显示{programmeId}积分的代币。",
    ),
}
