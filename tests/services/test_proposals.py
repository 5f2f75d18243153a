"""Proposals in sentences: over every contract, in both languages, loud where they are not read."""

from __future__ import annotations

import string
from typing import Any

import pytest

from ledger.chain.abi import encode_arguments
from ledger.chain.artifacts import BUILT, CONTRACTS, AbiItem, Parameter, load_artifact
from ledger.chain.contracts import authority, benefits, council, memberships, organisations
from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.contract import decode_call
from ledger.domain.commands import Award, Reversal
from ledger.domain.events import Call
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProposalId
from ledger.errors import InvalidValue
from ledger.services.proposals.reading import (
    MAX_DEPTH,
    SENTENCES,
    Reading,
    is_always_refused,
    is_reading,
    read_calls,
    sentence_key,
)
from ledger.services.proposals.words import CHINESE, ENGLISH, LANGUAGES, Names, beside, plain
from tests.support.calls import ACCOUNT, ENTRY, O1, O2, OP, P1, PLAIN, WORD
from tests.support.calls_of_sharing import R5, SIGNED_AND_SHARED

ADDRESSES = {name: bytes([0xC0 + number]) * 20 for number, name in enumerate(BUILT)}
TARGETS = {address: name for name, address in ADDRESSES.items()}
NAMES = Names({1: "Beidou Stars", 2: "北斗星"}, {1: "Alliance"}, {ACCOUNT: "Seat of programme 1"})
FUNCTIONS = [(name, item) for name in BUILT for item in load_artifact(name).items("function")]
CHANGING = [
    (name, item) for name, item in FUNCTIONS if not is_reading(item) and not is_always_refused(item)
]


def sample(parameter: Parameter) -> Any:
    """A value of any type that an ABI of ours has."""
    if parameter.type.endswith("[]"):
        inner = parameter.type.removesuffix("[]")
        element = Parameter(parameter.name, inner, "", parameter.components)
        return [sample(element), sample(element)]
    if parameter.type == "tuple":
        return {part.name: sample(part) for part in parameter.components}
    if parameter.type.startswith(("uint", "int")):
        return 3
    return {"address": ACCOUNT, "bool": True, "string": "text"}.get(
        parameter.type, bytes(int(parameter.type[5:] or 40)) if "bytes" in parameter.type else None
    )


def sampled(contract: str, item: AbiItem) -> Call:
    selector = load_artifact(contract).functions[item.signature]
    values = [sample(parameter) for parameter in item.inputs]
    return Call(ADDRESSES[contract], selector + encode_arguments(item.inputs, values))


def read(target: str, data: bytes, language: str = ENGLISH) -> Reading:
    (found,) = read_calls([Call(ADDRESSES[target], data)], TARGETS, NAMES, language)
    return found


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_catalogue__has_every_function_that_changes_something__and_no_other() -> None:
    expected = {f"{name}.{item.name}" for name, item in CHANGING}

    assert {key.partition(":")[0] for key in SENTENCES} == expected
    assert all(key in SENTENCES for key in expected)


@pytest.mark.parametrize("key", SENTENCES)
def test_sentence__in_both_languages__names_the_same_values(key: str) -> None:
    sentence = SENTENCES[key]

    assert placeholders(sentence.en) == placeholders(sentence.zh)
    assert placeholders(sentence.row_en) == placeholders(sentence.row_zh)
    assert sentence.en.endswith(".")
    assert sentence.zh.endswith("。")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("contract", "item"), FUNCTIONS, ids=lambda v: v if isinstance(v, str) else v.name
)
def test_reading__of_every_function__is_a_sentence(
    contract: str, item: AbiItem, language: str
) -> None:
    (found,) = read_calls([sampled(contract, item)], TARGETS, NAMES, language)

    assert (found.target, found.function) == (contract, item.signature)
    assert found.sentence.endswith((".", "。"))
    assert not set("{}") & set(found.sentence + "".join(found.rows))
    assert found.readable != bool(found.inner)  # the samples' inner calls are of no contract
    nested = {name for name, _ in found.arguments}
    assert len(nested) == len(found.arguments)


@pytest.mark.parametrize(
    ("contract", "calldata", "function", "arguments"),
    [*PLAIN, *SIGNED_AND_SHARED],
    ids=lambda value: str(value)[:20],
)
def test_reading__of_every_wrapper_s_call__tells_all_its_values(
    contract: str, calldata: bytes, function: str, arguments: list[Any]
) -> None:
    found = read(contract, calldata)
    decoded = decode_call(contract, calldata)

    assert sentence_key(decoded) in SENTENCES
    assert found.function.startswith(function + "(")
    shown = [value for _, value in found.arguments]

    def leaves(value: Any) -> list[Any]:
        if isinstance(value, list | tuple):
            return [leaf for each in value for leaf in leaves(each)]
        return [value]

    assert len(shown) == len(leaves(arguments))
    for row in found.rows:
        assert row


def test_variants__of_a_call__say_what_is_taken_away() -> None:
    transfer = authority.encode_begin_admin_transfer
    assert "Names 0x" in read("Authority", transfer(ACCOUNT)).sentence
    assert "ever again" in read("Authority", transfer(bytes(20))).sentence
    retire = organisations.encode_retire
    assert "merged into organisation 1 (Beidou Stars)" in (
        read("Organisations", retire(O2, OP, successor_id=O1)).sentence
    )
    assert "without a successor" in read("Organisations", retire(O2, OP)).sentence
    nominate = organisations.encode_nominate
    assert "Withdraws" in read("Organisations", nominate(O2, bytes(20), OP)).sentence
    assert len([key for key in SENTENCES if ":" in key]) == 7


def test_award__in_words__names_everybody_and_adds_up() -> None:
    rows = [Award(O1, 1500, "data.acquire", WORD), Award(O2, 6, "launch")]
    data = journal.encode_award(P1, rows, OP)

    english, chinese = read("Credits", data), read("Credits", data, CHINESE)

    assert english.sentence == "Awards 1,506 credits in programme 1 (Alliance), in 2 entries."
    assert english.rows == (
        "1,500 credits to organisation 1 (Beidou Stars) for data.acquire",
        "6 credits to organisation 2 (北斗星) for launch",
    )
    assert chinese.sentence == "在计划1（Alliance）中记入1,506积分，共2笔。"
    assert chinese.rows[1] == "组织2（北斗星）因launch得6积分"
    assert dict(english.arguments)["awards[0].evidence"] == "0x" + WORD.hex()
    assert dict(english.arguments)["operationId"] == "0x" + OP.hex()


def test_reversal__in_words__tells_the_entry_within() -> None:
    found = read("Credits", journal.encode_reverse(P1, [Reversal(ENTRY, WORD)], OP))

    assert found.sentence.startswith("Reverses 1 award of 40 credits in programme 1 (Alliance);")
    assert found.rows == ("entry 7: 40 credits of organisation 2 (北斗星) for data.acquire",)


def test_officers__in_words__have_their_role_and_where() -> None:
    data = authority.encode_appoint("councillor", ALLIANCE_WIDE, ACCOUNT, OP)

    english, chinese = read("Authority", data), read("Authority", data, CHINESE)

    assert english.sentence.endswith("(Seat of programme 1) councillor of the whole alliance.")
    assert chinese.sentence.endswith("为全联盟的理事。")


def test_change__without_a_reason__says_so() -> None:
    with_one = read("Memberships", memberships.encode_suspend(P1, [O1], "fee.unpaid", OP))
    without = read("Memberships", memberships.encode_suspend(P1, [O1], "", OP))

    assert with_one.sentence.endswith("Reason: fee.unpaid.")
    assert without.sentence.endswith("Reason: none given.")
    assert with_one.rows == ("organisation 1 (Beidou Stars)",)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("target", "data"),
    [
        (b"\x99" * 20, benefits.encode_cancel(R5, OP)),  # another's contract
        (ADDRESSES["Benefits"], b"\x01\x02\x03\x04" + bytes(32)),  # no function of it
        (ADDRESSES["Shares"], benefits.encode_cancel(R5, OP)),  # a function of another
        (ADDRESSES["Benefits"], benefits.encode_cancel(R5, OP) + b"\0"),  # more than the arguments
        (ADDRESSES["Benefits"], benefits.encode_cancel(R5, OP)[:-1]),
        (ADDRESSES["Benefits"], b""),
        (ADDRESSES["Benefits"], b"\x01"),
    ],
)
def test_reading__of_what_is_not_understood__is_refused_loudly(
    target: bytes, data: bytes, language: str
) -> None:
    (found,) = read_calls([Call(target, data)], TARGETS, NAMES, language)

    assert not found.readable
    assert found.sentence.startswith(("CANNOT BE READ: ", "【无法读懂】"))
    assert found.arguments == (("data", "0x" + data.hex()),)
    assert (found.function, found.rows) == ("", ())


def test_reading__of_a_call_named_after_no_contract_of_ours__is_refused_loudly() -> None:
    data = benefits.encode_cancel(R5, OP)

    (found,) = read_calls([Call(ACCOUNT, data)], {ACCOUNT: "Treasury"}, NAMES, ENGLISH)

    assert not found.readable


def test_proposal__within_a_proposal__is_told_as_deep_as_it_can_be() -> None:
    call = Call(ADDRESSES["Benefits"], benefits.encode_cancel(R5, OP))
    for _ in range(MAX_DEPTH):
        data = council.encode_execute(ProposalId(1), [call], OP)
        call = Call(ADDRESSES["Council"], data)

    (found,) = read_calls([call], TARGETS, NAMES, ENGLISH)

    depth = 1
    while found.inner:
        assert not found.readable
        (found,) = found.inner
        depth += 1
    assert depth == MAX_DEPTH + 1
    assert "too deep" in found.sentence
    shallow = council.encode_execute(ProposalId(1), [Call(ADDRESSES["Authority"], b"")], OP)
    assert not read("Council", shallow).readable
    good = [Call(ADDRESSES["Authority"], authority.encode_resume(OP))]
    told = read("Council", council.encode_execute(ProposalId(1), good, OP))
    assert told.readable
    assert told.inner[0].sentence == "Lets the paused ledger go on."


def test_proposal__nested_a_thousand_times__ends_in_words() -> None:
    call = Call(ADDRESSES["Council"], b"")
    for _ in range(200):
        call = Call(ADDRESSES["Council"], council.encode_execute(ProposalId(1), [call], OP))

    (found,) = read_calls([call], TARGETS, NAMES, ENGLISH)

    assert not found.readable


def test_name__that_would_break_a_line_or_turn_it__is_made_plain() -> None:
    assert plain("a\nb\t c\u202ed\u200be\u2028f") == "a b cde f"
    assert plain("a\ufffeb\uffffc\ue000d\u00a0e") == "abcd e"
    names = Names({7: "x\n2. Approve"})
    (found,) = read_calls(
        [Call(ADDRESSES["Organisations"], organisations.encode_stop_recovery(OrgId(7), OP))],
        TARGETS,
        names,
        ENGLISH,
    )
    assert found.sentence == "Stops the recovery of organisation 7 (x 2. Approve)."
    base = read("Memberships", memberships.encode_change_metadata_base("https://x\u202e\n", OP))
    assert '"https://x\\u202e\\n"' in base.sentence


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("银河航天（北京）科技 Galaxy (Beijing)", "银河航天（北京）科技 Galaxy (Beijing)"),
        (
            "A). Names 0xEvil to act for organisation 9 (B",
            "A . Names 0xEvil to act for organisation 9 B",
        ),
        ("A）。反对将组织9（B", "A 。反对将组织9 B"),
        ("A﹚ ⁾ ❩ ］ B", "A B"),
        ("\u0301\u20ddA" + "\u0301" * 40 + "B", "A" + "\u0301" * 3 + "B"),
        ("A" + "\u3164\u2800" * 40 + "B", "A B"),
        ("x" * 500, "x" * 119 + "…"),
        ("(" * 50, ""),
    ],
    ids=["fitting", "narrow", "wide", "odd", "marks", "blanks", "long", "only"],
)
def test_name__that_would_close_our_brackets_or_outgrow_them__stays_within(
    name: str, shown: str
) -> None:
    assert beside(name) == shown
    call = Call(ADDRESSES["Organisations"], organisations.encode_stop_recovery(OrgId(7), OP))
    (found,) = read_calls([call], TARGETS, Names({7: name}), ENGLISH)
    wanted = f"organisation 7 ({shown})" if shown else "organisation 7"
    assert found.sentence == f"Stops the recovery of {wanted}."


def test_reading__in_a_language_without_a_catalogue__is_refused() -> None:
    with pytest.raises(InvalidValue, match="language"):
        read_calls([], TARGETS, NAMES, "de")


def test_contracts__that_can_be_read__are_all() -> None:
    assert {key.partition(".")[0] for key in SENTENCES} >= set(CONTRACTS)
