"""What is said of the end: proofs, claims, databases, certificates, code and expiries."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, str]] = {
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
