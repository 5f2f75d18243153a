"""Sentences of `Programmes`, `Organisations` and `Memberships`."""

from __future__ import annotations

from ledger.services.proposals.sentence import Sentence

_BY_REASON = "Reason: {reason}."
_BY_REASON_ZH = "原因：{reason}。"

PROGRAMMES = {
    "Programmes.createProgramme": Sentence(
        "Founds the programme {key}, with a cap of {supplyCap} credits and {approvalsNeeded} "
        "approvals for its proposals.",
        "创建计划{key}，积分上限为{supplyCap}，其提案需要{approvalsNeeded}人批准。",
    ),
    "Programmes.changeProfile": Sentence(
        "Changes the description of {programmeId} to the one committed to by {profile}.",
        "将{programmeId}的说明改为承诺值{profile}所对应的说明。",
    ),
    "Programmes.changeSupplyCap": Sentence(
        "Changes the cap of {programmeId} to {supplyCap} credits.",
        "将{programmeId}的积分上限改为{supplyCap}。",
    ),
    "Programmes.changeApprovalsNeeded": Sentence(
        "Lets proposals of {programmeId} need {approvalsNeeded} approvals from now on.",
        "自此，{programmeId}的提案需要{approvalsNeeded}人批准。",
    ),
    "Programmes.addTiers": Sentence(
        "Adds {count:tier/tiers} to {programmeId}.",
        "为{programmeId}增加{count}个级别。",
        "{row}",
        "{row}",
    ),
    "Programmes.setTierOpen": Sentence(
        "Opens tier {tier} of {programmeId} to admissions again.",
        "重新开放{programmeId}的第{tier}级的接纳。",
    ),
    "Programmes.setTierOpen:closed": Sentence(
        "Closes tier {tier} of {programmeId} to new admissions.",
        "停止{programmeId}的第{tier}级的新接纳。",
    ),
    "Programmes.openCategories": Sentence(
        "Opens {count:category/categories} of {programmeId} to awards.",
        "开放{programmeId}的{count}个类别，可以记入积分。",
        "{row}",
        "{row}",
    ),
    "Programmes.closeCategories": Sentence(
        "Closes {count:category/categories} of {programmeId} to awards.",
        "关闭{programmeId}的{count}个类别，不再记入积分。",
        "{row}",
        "{row}",
    ),
    "Programmes.appendBoundaries": Sentence(
        "Appends {count:epoch boundary/epoch boundaries} to {programmeId}, which can never be "
        "moved.",
        "为{programmeId}追加{count}个周期分界，此后永远不能变动。",
        "{row}",
        "{row}",
    ),
    "Programmes.setBudget": Sentence(
        "Lets the issuer {issuer} award up to {perAward} credits at once and {perEpoch} in each "
        "epoch in {programmeId}.",
        "允许发放员{issuer}在{programmeId}中每次最多记入{perAward}积分，每周期最多{perEpoch}积分。",
    ),
    "Programmes.setBudget:none": Sentence(
        "Takes the budget of the issuer {issuer} in {programmeId} away.",
        "取消发放员{issuer}在{programmeId}中的额度。",
    ),
    "Programmes.setCategoryBudget": Sentence(
        "Limits the issuer {issuer} to {perEpoch} credits in each epoch in the category {category} "
        "of {programmeId}.",
        "限制发放员{issuer}在{programmeId}的类别{category}中每周期最多记入{perEpoch}积分。",
    ),
    "Programmes.setCategoryBudget:none": Sentence(
        "Takes the limit of the issuer {issuer} in the category {category} of {programmeId} away.",
        "取消发放员{issuer}在{programmeId}的类别{category}中的限额。",
    ),
}

ORGANISATIONS = {
    "Organisations.register": Sentence(
        "Registers {count:organisation/organisations}.",
        "登记{count}家组织。",
        "a {kind}, which {controller} acts for",
        "类型为{kind}，由{controller}代表",
    ),
    "Organisations.changeProfile": Sentence(
        "Changes the profile of {orgId} to the one committed to by {profile}.",
        "将{orgId}的资料改为承诺值{profile}所对应的资料。",
    ),
    "Organisations.nominate": Sentence(
        "Names {successor} to act for {orgId} next. Only its controller may.",
        "指定{successor}为{orgId}的下一任代表账户。只有其代表账户可以这样做。",
    ),
    "Organisations.nominate:nobody": Sentence(
        "Withdraws whoever was named to act for {orgId} next. Only its controller may.",
        "撤回{orgId}下一任代表账户的指定。只有其代表账户可以这样做。",
    ),
    "Organisations.nominateBySignature": Sentence(
        "Names {successor} to act for {orgId} next, as {signer} signed, good until {deadline}.",
        "按{signer}的签名（有效至{deadline}），指定{successor}为{orgId}的下一任代表账户。",
    ),
    "Organisations.nominateBySignature:nobody": Sentence(
        "Withdraws whoever was named to act for {orgId} next, as {signer} signed, good until "
        "{deadline}.",
        "按{signer}的签名（有效至{deadline}），撤回{orgId}下一任代表账户的指定。",
    ),
    "Organisations.acceptControl": Sentence(
        "Lets the seat act for {orgId}, if it was named to.",
        "若席位已被指定，则由席位代表{orgId}。",
    ),
    "Organisations.acceptControlBySignature": Sentence(
        "Lets {signer} act for {orgId}, as it signed, good until {deadline}.",
        "按{signer}的签名（有效至{deadline}），由其代表{orgId}。",
    ),
    "Organisations.beginRecovery": Sentence(
        "Begins to give {orgId} to {successor}, since its key is lost; its controller can object "
        "until the delay is over.",
        "因密钥遗失，开始将{orgId}转由{successor}代表；等待期内其代表账户可以反对。",
    ),
    "Organisations.stopRecovery": Sentence(
        "Stops the recovery of {orgId}.", "停止{orgId}的恢复程序。"
    ),
    "Organisations.stopRecoveryBySignature": Sentence(
        "Stops the recovery of {orgId}, to which {signer} objected, signed until {deadline}.",
        "按{signer}签署的反对（有效至{deadline}），停止{orgId}的恢复程序。",
    ),
    "Organisations.finishRecovery": Sentence(
        "Gives {orgId} to the account that its recovery named, with all its memberships.",
        "将{orgId}连同其全部会员资格转由恢复程序所指定的账户代表。",
    ),
    "Organisations.retire": Sentence(
        "Retires {orgId} for good, merged into {successorId}.",
        "永久注销{orgId}，并入{successorId}。",
    ),
    "Organisations.retire:alone": Sentence(
        "Retires {orgId} for good, without a successor.", "永久注销{orgId}，没有承继组织。"
    ),
    "Organisations.nameSuccessor": Sentence(
        "Names {successorId} as what the retired {orgId} is part of, which can never be changed: "
        "its balances and unclaimed shares can go there.",
        "指定{successorId}为已注销的{orgId}的承继组织，此后永远不能更改：其余额和未领取的份额可转归该组织。",
    ),
}

MEMBERSHIPS = {
    "Memberships.admit": Sentence(
        "Admits {count:organisation/organisations} to {programmeId}. " + _BY_REASON,
        "接纳{count}家组织加入{programmeId}。" + _BY_REASON_ZH,
        "{orgId} in tier {tier}, until {expiresAt}",
        "{orgId}，第{tier}级，至{expiresAt}",
    ),
    "Memberships.admitByConsent": Sentence(
        "Admits {count:organisation/organisations} that agreed to it to {programmeId}. "
        + _BY_REASON,
        "接纳{count}家已同意的组织加入{programmeId}。" + _BY_REASON_ZH,
        "{orgId} in tier {tier}, until {expiresAt}",
        "{orgId}，第{tier}级，至{expiresAt}",
    ),
    "Memberships.renew": Sentence(
        "Renews {count:membership/memberships} in {programmeId}. " + _BY_REASON,
        "为{programmeId}的{count}份会员资格续期。" + _BY_REASON_ZH,
        "{orgId} until {expiresAt}",
        "{orgId}至{expiresAt}",
    ),
    "Memberships.changeTier": Sentence(
        "Moves {count:membership/memberships} in {programmeId} into other tiers. " + _BY_REASON,
        "调整{programmeId}的{count}份会员资格的级别。" + _BY_REASON_ZH,
        "{orgId} into tier {tier}",
        "{orgId}调至第{tier}级",
    ),
    "Memberships.suspend": Sentence(
        "Suspends {count:membership/memberships} in {programmeId}. " + _BY_REASON,
        "暂停{programmeId}的{count}份会员资格。" + _BY_REASON_ZH,
        "{row}",
        "{row}",
    ),
    "Memberships.resume": Sentence(
        "Ends the suspension of {count:membership/memberships} in {programmeId}. " + _BY_REASON,
        "恢复{programmeId}的{count}份会员资格。" + _BY_REASON_ZH,
        "{row}",
        "{row}",
    ),
    "Memberships.revoke": Sentence(
        "Revokes {count:membership/memberships} in {programmeId}. " + _BY_REASON,
        "撤销{programmeId}的{count}份会员资格。" + _BY_REASON_ZH,
        "{row}",
        "{row}",
    ),
    "Memberships.decline": Sentence(
        "Declines {count:application/applications} to {programmeId}. " + _BY_REASON,
        "拒绝{count}家组织加入{programmeId}的申请。" + _BY_REASON_ZH,
        "{row}",
        "{row}",
    ),
    "Memberships.changeMetadataBase": Sentence(
        "Lets wallets look for the memberships' pictures and texts under {base}.",
        "让钱包从{base}读取会员资格的图片和文字。",
    ),
    "Memberships.announceMove": Sentence(
        "Announces that the tokens of {orgId} move. Refused: only the contract Organisations may.",
        "宣布{orgId}的会员代币转移。会被拒绝：只有组织合约可以这样做。",
    ),
    "Memberships.safeTransferFrom": Sentence(
        "Transfers the membership token {tokenId}. Refused: memberships are locked.",
        "转让会员代币{tokenId}。会被拒绝：会员资格不可转让。",
    ),
}

SENTENCES = PROGRAMMES | ORGANISATIONS | MEMBERSHIPS
