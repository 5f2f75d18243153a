"""Sentences of `Authority`, of `Council` and its seats, and of messages that are cancelled."""

from __future__ import annotations

from ledger.services.proposals.sentence import Sentence

MESSAGES = {
    "cancelMessage": Sentence(
        "Cancels the seat's own signed message of the operation {operationId}.",
        "作废席位自己签署的、操作号为{operationId}的消息。",
    ),
    "cancelMessageBySignature": Sentence(
        "Cancels the message of the operation {operationId} that {signer} signed, at its own "
        "request, signed until {deadline}.",
        "应{signer}的请求（签名有效至{deadline}），作废其签署的操作号为{operationId}的消息。",
    ),
}
"""The same in every contract that takes signed messages."""

SENTENCES = {
    "Authority.appoint": Sentence(
        "Appoints {account} {name} of {programmeId}.", "任命{account}为{programmeId}的{name}。"
    ),
    "Authority.dismiss": Sentence(
        "Dismisses {account} as {name} of {programmeId}.",
        "免去{account}在{programmeId}的{name}职务。",
    ),
    "Authority.pause": Sentence(
        "Pauses the ledger until the default admin resumes it. Meanwhile only officers are "
        "appointed and dismissed, proposals that call the Authority alone are carried out, "
        "proposals and messages are cancelled, controllers object to recoveries, and tokens that "
        "show credits are set up.",
        "暂停账本，直至默认管理员恢复。其间仅可任免工作人员、执行只调用Authority合约的提案、"
        "取消提案、作废消息、由代表账户反对恢复程序，以及设立显示积分的代币。",
    ),
    "Authority.resume": Sentence("Lets the paused ledger go on.", "恢复已暂停的账本。"),
    "Authority.renounceRole": Sentence(
        "Gives up the role {role}, if {account} is the seat itself.",
        "若{account}即席位本身，则放弃{role}这一职权。",
    ),
    "Authority.beginDefaultAdminTransfer": Sentence(
        "Names {newAdmin} the next default admin, who appoints and dismisses all officers, once "
        "the delay is over and it accepts.",
        "指定{newAdmin}为下一任默认管理员（任免全部工作人员），等待期满并由其接受后生效。",
    ),
    "Authority.beginDefaultAdminTransfer:nobody": Sentence(
        "Begins to leave the ledger without a default admin: nobody could appoint or dismiss "
        "officers, or resume a paused ledger, ever again.",
        "开始使账本不再有默认管理员：此后任何人都永远不能任免工作人员，也不能恢复已暂停的账本。",
    ),
    "Authority.cancelDefaultAdminTransfer": Sentence(
        "Withdraws the default admin's successor.", "撤回默认管理员的继任者。"
    ),
    "Authority.acceptDefaultAdminTransfer": Sentence(
        "Makes the seat the default admin, if it was named its successor.",
        "若席位已被指定为继任者，则由席位出任默认管理员。",
    ),
    "Authority.changeDefaultAdminDelay": Sentence(
        "Changes how long a successor of the default admin waits to {newDelay}.",
        "将默认管理员继任者的等待期改为{newDelay}。",
    ),
    "Authority.rollbackDefaultAdminDelay": Sentence(
        "Withdraws the announced change of how long a successor of the default admin waits.",
        "撤回已宣布的默认管理员继任者等待期的变更。",
    ),
    "Council.propose": Sentence(
        "Proposes {count:call/calls} for {programmeId}, open until {expiresAt}. Only a "
        "councillor may.",
        "为{programmeId}提议{count}项调用，有效至{expiresAt}。只有理事可以这样做。",
    ),
    "Council.approve": Sentence(
        "Approves proposal {proposalId}. Only a councillor other than its maker may.",
        "批准第{proposalId}号提案。只有提案人以外的理事可以这样做。",
    ),
    "Council.approveBySignature": Sentence(
        "Brings the approval of proposal {proposalId} that {signer} signed, good until {deadline}.",
        "提交{signer}对第{proposalId}号提案签署的批准（有效至{deadline}）。",
    ),
    "Council.execute": Sentence(
        "Carries out proposal {proposalId} with {count:call/calls}. Refused while this one is "
        "being carried out.",
        "执行第{proposalId}号提案的{count}项调用。在本提案执行期间会被拒绝。",
    ),
    "Council.cancel": Sentence(
        "Cancels proposal {proposalId}. Only its maker may, or a guardian unless all its calls go "
        "to the Authority.",
        "取消第{proposalId}号提案。只有提案人可以这样做；若其调用并非全部指向Authority合约，守护人亦可。",
    ),
    "Council.changeAllianceApprovals": Sentence(
        "Lets proposals of the whole alliance need {approvalsNeeded} approvals from now on.",
        "自此，全联盟的提案需要{approvalsNeeded}人批准。",
    ),
    "Seat.act": Sentence(
        "Lets a seat make {count:call/calls}. Refused: a seat acts for the contract Council alone.",
        "让一个席位作出{count}项调用。会被拒绝：席位只听从理事会合约。",
    ),
}
