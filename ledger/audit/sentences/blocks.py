"""What is said of a bundle, its anchor, its blocks and its journals, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

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
}
