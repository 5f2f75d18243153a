"""Headers of real blocks of every fork, and what becomes of a header that was altered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.devnet_anvil import anvil_command, wait_until_ready
from ledger.chain.headers import (
    BloomFilter,
    Header,
    HeaderAnswer,
    bloom_may_contain,
    bloom_of,
    check_header,
    check_headers,
    encode_header,
    header_hash,
)
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.toolchain import find_foundry_tool
from ledger.domain.ids import BlockNumber
from ledger.errors import NotProved
from ledger.processes import ChildProcess, own_environment
from tests.chain.altering import altered, read_as
from tests.chain.varied_chain import VariedChain
from tests.support.ports import free_port

FORKS = ("london", "paris", "shanghai", "cancun", "prague", "osaka")
FIELDS = [field.name for field in msgspec.structs.fields(HeaderAnswer)]
FIRST = BlockNumber(0)
ZEROS = "0x" + "00" * 32
EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"

# Block 0 of Ethereum's main network, which no program of ours has made.
MAINNET_GENESIS = HeaderAnswer(
    number="0x0",
    hash="0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    parent_hash=ZEROS,
    sha3_uncles="0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    miner="0x" + "00" * 20,
    state_root="0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    transactions_root=EMPTY_ROOT,
    receipts_root=EMPTY_ROOT,
    logs_bloom="0x" + "00" * 256,
    difficulty="0x400000000",
    gas_limit="0x1388",
    gas_used="0x0",
    timestamp="0x0",
    extra_data="0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    mix_hash=ZEROS,
    nonce="0x0000000000000042",
)


def copy_of(answer: HeaderAnswer, **changes: Any) -> HeaderAnswer:
    return msgspec.structs.replace(answer, **changes)


@pytest.fixture(scope="module")
def answers(varied_chain: VariedChain) -> list[HeaderAnswer]:
    return varied_chain.node.headers(varied_chain.numbers)


def test_check_headers__of_a_real_chain__gives_what_the_node_says(
    varied_chain: VariedChain, answers: list[HeaderAnswer]
) -> None:
    headers = check_headers(answers, first=FIRST, parent_hash=None)
    assert [header.number for header in headers] == list(varied_chain.numbers)
    for header, answer in zip(headers, answers, strict=True):
        raw = varied_chain.raw("eth_getBlockByNumber", hex(header.number), False)
        assert header == Header(
            number=BlockNumber(int(raw["number"], 16)),
            hash=bytes.fromhex(raw["hash"][2:]),
            parent_hash=bytes.fromhex(raw["parentHash"][2:]),
            state_root=bytes.fromhex(raw["stateRoot"][2:]),
            receipts_root=bytes.fromhex(raw["receiptsRoot"][2:]),
            transactions_root=bytes.fromhex(raw["transactionsRoot"][2:]),
            logs_bloom=bytes.fromhex(raw["logsBloom"][2:]),
            timestamp=int(raw["timestamp"], 16),
        )
        assert keccak256(encode_header(answer)) == header.hash == header_hash(answer)


def test_check_header__of_the_main_network_s_first_block__is_proved() -> None:
    assert check_header(MAINNET_GENESIS).hash.hex() == MAINNET_GENESIS.hash[2:]


@contextlib.contextmanager
def chain_of_fork(folder: Path, fork: str) -> Iterator[Node]:
    port = free_port()
    command = anvil_command(find_foundry_tool("anvil"), port)
    command[command.index("--hardfork") + 1] = fork
    log = folder / "anvil.log"
    environment = own_environment(HOME=str(folder))
    with ChildProcess("anvil", command, folder=folder, log=log, environment=environment) as child:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(child, url, log)
        with Node(url) as node:
            yield node
        child.kill()


@pytest.mark.parametrize("fork", FORKS)
def test_check_headers__of_each_fork__are_proved(fork: str, tmp_path: Path) -> None:
    with chain_of_fork(tmp_path, fork) as node:
        node.ask("anvil_mine", ("0x3",), type(None))
        found = node.headers(range(4))
    assert len(check_headers(found, first=FIRST, parent_hash=None)) == 4
    assert (found[3].withdrawals_root is not None) == (fork not in ("london", "paris"))
    assert (found[3].requests_hash is not None) == (fork in ("prague", "osaka"))


@pytest.mark.parametrize("field", FIELDS)
def test_check_header__with_any_field_altered__is_refused(
    answers: list[HeaderAnswer], field: str
) -> None:
    answer = msgspec.structs.asdict(answers[-1])
    changed = HeaderAnswer(**altered(answer, (field,)))
    with pytest.raises(NotProved):
        check_header(changed)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["", "0x", "0xzz", "0x-1", "12", "0x0_1", "0x" + "11" * 40])
def test_check_header__with_an_odd_value__is_refused_without_another_error(
    answers: list[HeaderAnswer], field: str, value: str
) -> None:
    if getattr(answers[-1], field) != value:
        with pytest.raises(NotProved):
            check_header(copy_of(answers[-1], **{field: value}))


@pytest.mark.parametrize("value", ["0x00", "0x05", "0X5", " 0x5", "-0x5"])
def test_check_header__with_a_number_in_another_spelling__is_refused(value: str) -> None:
    with pytest.raises(NotProved, match="not a number"):
        check_header(copy_of(MAINNET_GENESIS, gas_used=value))


def test_check_header__of_a_later_fork__is_refused_though_it_is_right(
    varied_chain: VariedChain, answers: list[HeaderAnswer]
) -> None:
    number = len(answers) - 1
    raw = varied_chain.raw("eth_getBlockByNumber", hex(number), False)
    fields = oracle.decode(encode_header(answers[number]))
    later = oracle.encode([*fields, b"\x55" * 32])
    raw |= {"blockAccessListHash": "0x" + "55" * 32, "hash": "0x" + keccak256(later).hex()}
    with pytest.raises(NotProved, match="hash"):
        check_header(read_as(raw, HeaderAnswer))


@pytest.mark.parametrize("field", FIELDS[FIELDS.index("base_fee_per_gas") :])
def test_check_header__that_lacks_a_field__is_refused(
    answers: list[HeaderAnswer], field: str
) -> None:
    with pytest.raises(NotProved, match="hash"):
        check_header(copy_of(answers[-1], **{field: None}))


@pytest.mark.parametrize("place", [3, 6, 13, 14])
def test_check_header__with_a_field_of_another_length__is_refused_though_the_hash_fits(
    place: int,
) -> None:
    """State root, bloom, mix hash and nonce, a byte short, in a header made for it."""
    fields = oracle.decode(encode_header(MAINNET_GENESIS))
    fields[place] = fields[place][:-1]
    names = {3: "state_root", 6: "logs_bloom", 13: "mix_hash", 14: "nonce"}
    forged = copy_of(
        MAINNET_GENESIS,
        hash="0x" + keccak256(oracle.encode(fields)).hex(),
        **{names[place]: "0x" + fields[place].hex()},
    )
    with pytest.raises(NotProved, match="odd length"):
        check_header(forged)


@pytest.mark.parametrize("field", ["number", "timestamp"])
def test_check_header__beyond_what_a_database_holds__is_refused_though_the_hash_fits(
    field: str,
) -> None:
    for value, is_right in ((2**63 - 1, True), (2**63, False), (1 << 40_000, False)):
        forged = copy_of(MAINNET_GENESIS, **{field: hex(value)})
        forged = copy_of(forged, hash="0x" + header_hash(forged).hex())
        with contextlib.nullcontext() if is_right else pytest.raises(NotProved, match="beyond"):
            check_header(forged)


def test_check_headers__that_begin_with_another_block__are_refused(
    answers: list[HeaderAnswer],
) -> None:
    with pytest.raises(NotProved, match="in its place") as caught:
        check_headers(answers[2:], first=BlockNumber(1), parent_hash=None)
    assert caught.value.values["block"] == 1


def test_check_headers__of_a_run_that_is_no_chain__are_refused(
    answers: list[HeaderAnswer],
) -> None:
    runs = {
        "one is missing": [answers[0], *answers[2:]],
        "one is twice": [answers[0], *answers],
        "two are swapped": [answers[1], answers[0], *answers[2:]],
        "one is foreign": [MAINNET_GENESIS, *answers[1:]],
    }
    for run in runs.values():
        with pytest.raises(NotProved):
            check_headers(run, first=FIRST, parent_hash=None)


def test_check_headers__after_another_block_than_we_know__are_refused(
    answers: list[HeaderAnswer],
) -> None:
    first = BlockNumber(2)
    known = check_header(answers[1]).hash
    assert check_headers(answers[2:], first=first, parent_hash=known)
    with pytest.raises(NotProved, match="not the child") as caught:
        check_headers(answers[2:], first=first, parent_hash=known[::-1])
    assert caught.value.values["block"] == 2


# --- QBFT and IBFT 2.0 --------------------------------------------------------------------------

BFT = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
VALIDATORS = [bytes([n]) * 20 for n in range(1, 5)]
SEALS = [bytes([n]) * 65 for n in range(1, 4)]


def bft_header(hashed_extra: list[Any], extra: list[Any]) -> HeaderAnswer:
    """A header as Besu answers it, its hash taken as Besu takes it, by another RLP than ours."""
    answer = copy_of(
        MAINNET_GENESIS, difficulty="0x1", mix_hash=BFT, base_fee_per_gas="0x0", number="0x9"
    )
    sealed = copy_of(answer, mix_hash=ZEROS, extra_data="0x" + oracle.encode(hashed_extra).hex())
    fields = oracle.decode(encode_header(sealed))
    fields[13] = bytes.fromhex(BFT[2:])
    return copy_of(
        answer,
        extra_data="0x" + oracle.encode(extra).hex(),
        hash="0x" + keccak256(oracle.encode(fields)).hex(),
    )


@pytest.mark.parametrize("vote", [[], [b"\x09" * 20, b"\xff"], [b"\x09" * 20, b""]])
@pytest.mark.parametrize("block_round", [b"", b"\x01", b"\x01\x00"])
def test_check_header__of_qbft__is_hashed_without_seals_and_round(
    vote: list[bytes], block_round: bytes
) -> None:
    common = [bytes(32), VALIDATORS, vote]
    answer = bft_header([*common, b"", []], [*common, block_round, SEALS])
    assert check_header(answer).number == 9
    other = [bytes(32), VALIDATORS[1:], vote, block_round, SEALS]
    with pytest.raises(NotProved):
        check_header(copy_of(answer, extra_data="0x" + oracle.encode(other).hex()))


@pytest.mark.parametrize("vote", [b"", [b"\x09" * 20, b"\xff"], [b"\x09" * 20, b"\0"]])
def test_check_header__of_ibft2__is_hashed_without_seals_and_round(vote: Any) -> None:
    common = [bytes(32), VALIDATORS, vote]
    answer = bft_header(common, [*common, bytes(3) + b"\x02", SEALS])
    assert check_header(answer).number == 9
    other = [bytes(31) + b"\1", VALIDATORS, vote, bytes(4), SEALS]
    with pytest.raises(NotProved):
        check_header(copy_of(answer, extra_data="0x" + oracle.encode(other).hex()))


def test_check_header__of_bft_with_other_extra_data__is_hashed_as_it_is() -> None:
    for extra in ([b"\x01"], [[b"\x01"]] * 6):
        assert check_header(bft_header(extra, extra)).number == 9


# --- blooms -------------------------------------------------------------------------------------


def test_bloom_of__all_that_a_real_block_logged__is_the_header_s(
    varied_chain: VariedChain, answers: list[HeaderAnswer]
) -> None:
    for answer in answers:
        header = check_header(answer)
        needles = []
        for log in varied_chain.raw("eth_getLogs", {"blockHash": answer.hash}):
            needles += [bytes.fromhex(text[2:]) for text in (log["address"], *log["topics"])]
        assert bloom_of(needles) == header.logs_bloom
        assert all(bloom_may_contain(header.logs_bloom, needle) for needle in needles)
        emitted = varied_chain.emitter in needles
        assert BloomFilter([varied_chain.emitter]).may_match(header.logs_bloom) == emitted


@given(
    st.lists(st.binary(min_size=20, max_size=20), max_size=8),
    st.lists(st.binary(min_size=20, max_size=20), min_size=1, max_size=3),
)
def test_bloom_filter__on_any_bloom__says_what_each_address_alone_would(
    logged: list[bytes], ours: list[bytes]
) -> None:
    bloom = bloom_of(logged)
    expected = any(bloom_may_contain(bloom, address) for address in ours)
    assert BloomFilter(ours).may_match(bloom) == expected
    assert expected or not set(ours) & set(logged)
