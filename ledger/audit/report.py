"""The report of an audit: one HTML page that needs nothing else, to read, print and file.

In English and Chinese one after the other, since an auditor's file is read by both. It is made from
the verdict alone, without scripts, and the same verdict gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.audit.verify import Verdict

CHECKS = {
    "digests": ("Files whose SHA-256 is that of the manifest", "文件摘要与清单相符"),
    "headers": ("Block headers that hash to their child's parent", "区块头首尾相连"),
    "sealed": ("Blocks sealed by enough validators", "由足够验证人封印的区块"),
    "blooms": ("Blocks proved empty by their bloom", "由布隆过滤器证明无本账本日志的区块"),
    "bodies": ("Blocks proved whole by both roots", "由交易根与收据根证明完整的区块"),
    "transactions": ("Transactions under a proved root", "交易根下的交易"),
    "receipts": ("Receipts under a proved root", "收据根下的收据"),
    "signers": ("Signers recovered", "已还原签名人的交易"),
    "lines": ("Lines of the journals, without a gap", "连续无缺的日志簿行"),
    "entries": ("Credit entries replayed", "已重放的积分记录"),
    "operations": ("Operations, each done once", "各只执行一次的操作"),
    "commands": ("Calls compared with the lines that they wrote", "与所写行逐项比对的调用"),
    "messages": ("Signed messages checked", "已核对的签名消息"),
    "role_changes": ("Changes of roles replayed", "已重放的角色变更"),
    "proposals": ("Proposals replayed", "已重放的提案"),
    "accounts": ("Accounts proved under the last block", "末区块下已证明的账户"),
    "slots": ("Storage slots proved under the last block", "末区块下已证明的存储槽"),
    "claims": ("Claims of the operator compared", "已比对的运营方陈述"),
    "contracts": ("Contracts whose code is this release's", "代码与本版本相符的合约"),
    "compiled": ("Contracts compiled anew from the sources", "由源代码重新编译的合约"),
    "shares": ("Distributions whose tree was made again", "重新计算的分配"),
    "expiries": ("Expiries computed anew", "重新计算的到期"),
}
"""What each check of a verdict counts."""

_VERDICTS = (
    ("Complete and correct", "完整且正确"),
    ("Wrong", "有误"),
    ("Incomplete", "不完整"),
)

_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans SC",sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem;color:#1a2230}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccd3dd;padding:.3rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}td.n{text-align:right;
font-variant-numeric:tabular-nums}.v{padding:1rem;border:2px solid;border-radius:.4rem}
.v0{border-color:#1c7c3c}.v1{border-color:#b3261e}.v2{border-color:#96690a}
code{font-size:.85em}@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""


def render_report(verdict: Verdict) -> str:
    """The page, a whole document."""
    title = "Audit of a Moonlake ledger · 月湖账本审计报告"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{_STYLE}</style><h1>{title}</h1>",
        _verdict(verdict),
        _scope(verdict),
        _checks(verdict),
        _totals(verdict),
        _roles(verdict),
        _findings(verdict),
        _trusted(verdict),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _verdict(verdict: Verdict) -> str:
    english, chinese = _VERDICTS[verdict.exit_code]
    found = verdict.findings.total
    return (
        f'<p class="v v{verdict.exit_code}"><strong>{english} · {chinese}</strong><br>'
        f"{found} findings · 共 {found} 项发现</p>"
    )


def _scope(verdict: Verdict) -> str:
    anchored = "–" if verdict.anchored is None else str(verdict.anchored)
    rows = [
        ("Chain · 链", f"{verdict.chain_id}"),
        ("Genesis · 创世区块", verdict.genesis_hash),
        ("Blocks · 区块", f"{verdict.first_block} – {verdict.last_block}"),
        ("Last block · 末区块", verdict.last_hash),
        ("Its time · 其时间", _time(verdict.last_time)),
        ("Anchored to block · 锚点区块", anchored),
        ("Witnesses of the anchor · 锚点见证人", str(verdict.witnesses)),
        ("Finality · 终局性", _finality(verdict)),
        *sorted(verdict.contracts.items()),
    ]
    return "<h2>Scope · 范围</h2>" + _table(
        [(escape(a), f"<code>{escape(b)}</code>") for a, b in rows]
    )


def _finality(verdict: Verdict) -> str:
    if verdict.validators:
        count = len(verdict.validators)
        return f"sealed by validators, {count} in the last block · 由验证人封印，末区块 {count} 名"
    return "operator-trusted · 须信任运营方"


def _checks(verdict: Verdict) -> str:
    rows = []
    for check in verdict.checks:
        english, chinese = CHECKS[check.name]
        rows.append((f"{english}<br>{chinese}", f"{check.count:,}", "✓" if check.done else "–"))
    return "<h2>What was checked · 核对内容</h2>" + _table(rows, numbers=(1,))


def _totals(verdict: Verdict) -> str:
    rows = [
        (f"{programme}", f"{pair[0]:,}", f"{pair[1]:,}")
        for programme, pair in sorted(verdict.totals.items())
    ]
    head = ("Programme · 计划", "Outstanding · 在外积分", "Refundable · 可退积分")
    return "<h2>Totals · 总额</h2>" + _table(rows, head=head, numbers=(1, 2))


def _roles(verdict: Verdict) -> str:
    rows = [
        (
            _time(each.time),
            f"{each.block}",
            escape(each.role) + (f" / {each.programme_id}" if each.programme_id else ""),
            "granted · 授予" if each.granted else "taken · 收回",
            f"<code>0x{each.account.hex()}</code>",
            f"<code>0x{each.actor.hex()}</code>",
        )
        for each in verdict.roles
    ]
    head = ("Time · 时间", "Block · 区块", "Role · 角色", "", "Account · 账户", "By · 由")
    return "<h2>Who was allowed to do what · 授权历史</h2>" + _table(rows, head=head)


def _findings(verdict: Verdict) -> str:
    rows = [
        (
            f"<code>{escape(each.code)}</code>",
            f"{escape(each.sentence('en'))}<br>{escape(each.sentence('zh-CN'))}",
        )
        for each in verdict.findings
    ]
    left = verdict.findings.total - len(rows)
    more = f"<p>… {left:,} more · 另有 {left:,} 项</p>" if left else ""
    return "<h2>Findings · 发现</h2>" + (_table(rows) if rows else "<p>–</p>") + more


def _trusted(verdict: Verdict) -> str:
    outside = verdict.notes.get("through_other_contracts", 0)
    return (
        "<h2>What remains to be trusted · 仍需信任之处</h2><ul>"
        f"<li>The anchor, and whoever made its block: {escape(_finality(verdict))}. "
        "<br>锚点以及签发其区块者。</li>"
        "<li>This verifier, its hash and signature functions, the compiler. "
        "<br>本核验程序、其哈希与签名算法，以及编译器。</li>"
        f"<li>{outside:,} transactions came through other contracts, whose code was not examined. "
        f"<br>{outside:,} 笔交易经由其他合约，其代码未经审查。</li></ul>"
    )


def _table(
    rows: Sequence[tuple[str, ...]], *, head: tuple[str, ...] = (), numbers: tuple[int, ...] = ()
) -> str:
    def row(cells: tuple[str, ...]) -> str:
        shown = (
            f'<td class="n">{cell}</td>' if place in numbers else f"<td>{cell}</td>"
            for place, cell in enumerate(cells)
        )
        return f"<tr>{''.join(shown)}</tr>"

    heads = "".join(f"<th>{cell}</th>" for cell in head)
    return f"<table>{f'<tr>{heads}</tr>' if head else ''}{''.join(map(row, rows))}</table>"


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
