"""What a message says, in sentences of both languages, from its own values alone.

A file has no names: who signs offline has none, and it must say the same to everybody who reads it.
Where names are known they stand beside the numbers, never in their place: a number is what is
signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ledger.chain.artifacts import Parameter
from ledger.chain.typed_data import TypedMessage
from ledger.services.proposals.sentence import Sentence
from ledger.services.proposals.words import LANGUAGES, Count, Names, Words

_GOOD = " Signed for {account}, good until {deadline}."
_GOOD_ZH = "为{account}签署，有效至{deadline}。"

_NO_NAMES: Mapping[str, Names] = MappingProxyType({})

SENTENCES: Mapping[str, Sentence] = MappingProxyType(
    {
        "AwardBatch": Sentence(
            "Awards {total} credits in {programmeId}, in {count:entry/entries}." + _GOOD,
            "在{programmeId}中记入{total}积分，共{count}笔。" + _GOOD_ZH,
            "{amount} credits to {orgId} for {category}, evidence {evidence}",
            "{orgId}因{category}得{amount}积分，证明文件{evidence}",
        ),
        "Application": Sentence(
            "{orgId} agrees to be admitted to {programmeId} in tier {tier}, by the evidence "
            "{evidence}." + _GOOD,
            "{orgId}同意以第{tier}级加入{programmeId}，证明文件{evidence}。" + _GOOD_ZH,
        ),
        "Redemption": Sentence(
            "Redeems {credits} credits of {orgId} in {programmeId} for {quantity} units of listing "
            "{listingId}." + _GOOD,
            "以{orgId}在{programmeId}的{credits}积分兑换{quantity}份第{listingId}号权益。"
            + _GOOD_ZH,
        ),
        "Claim": Sentence(
            "Claims {amount} units of distribution {distributionId} of {programmeId} for {orgId}."
            + _GOOD,
            "为{orgId}领取{programmeId}第{distributionId}号分配的{amount}份。" + _GOOD_ZH,
        ),
        "Approval": Sentence(
            "Approves proposal {proposalId} of {programmeId}, whose calls have the hash "
            "{callsHash}." + _GOOD,
            "批准{programmeId}的第{proposalId}号提案，其调用的哈希值为{callsHash}。" + _GOOD_ZH,
        ),
        "Rotation": Sentence(
            "Names {successor} to act for {orgId} next." + _GOOD,
            "指定{successor}为{orgId}的下一任代表账户。" + _GOOD_ZH,
        ),
        "Acceptance": Sentence(
            "Acts for {orgId} from now on." + _GOOD,
            "自此代表{orgId}。" + _GOOD_ZH,
        ),
        "Objection": Sentence(
            "Objects to {orgId} being recovered by {successor}." + _GOOD,
            "反对将{orgId}恢复给{successor}。" + _GOOD_ZH,
        ),
        "Cancellation": Sentence(
            "Makes the message of the operation {operationId} worthless." + _GOOD,
            "作废操作号为{operationId}的消息。" + _GOOD_ZH,
        ),
    }
)
"""By the message's type; a test compares them with those that the contracts take."""


def describe_message(
    message: TypedMessage, names: Mapping[str, Names] = _NO_NAMES
) -> dict[str, list[str]]:
    """By language: what it says, and a line for each row of a batch; `names` are by language."""
    return {
        language: _describe(message, Words(language, names.get(language, Names())))
        for language in LANGUAGES
    }


def _describe(message: TypedMessage, words: Words) -> list[str]:
    told = SENTENCES[message.primary_type]
    types = {
        name: {field["name"]: field["type"] for field in fields}
        for name, fields in message.to_json()["types"].items()
    }
    values: dict[str, Any] = {}
    rows: list[str] = []
    for field, kind in types[message.primary_type].items():
        value = message.values[field]
        if not kind.endswith("[]"):
            values[field] = _show(words, field, kind, value)
            continue
        fields = types[kind.removesuffix("[]")]
        values["count"] = Count(len(value), words.amount(len(value)))
        values["total"] = words.amount(sum(row["amount"] for row in value))
        rows = [
            words.choose(told.row_en, told.row_zh).format(
                **{name: _show(words, name, inner, row[name]) for name, inner in fields.items()}
            )
            for row in value
        ]
    sentence = words.choose(told.en, told.zh).format(**values)
    return [sentence[:1].upper() + sentence[1:], *rows]


def _show(words: Words, field: str, kind: str, value: Any) -> str:
    if kind == "string":
        return str(value)  # a key: the contract takes no other text
    if field == "evidence" and not any(value):
        return words.choose("none", "无")
    return words.value(Parameter(field, kind), value)
