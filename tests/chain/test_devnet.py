"""The devnet on a real anvil: what a restart keeps, and what each way of dying costs."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.chain.devnet import (
    DevnetOptions,
    devnet_folder,
    devnet_status,
    reset_devnet,
    start_devnet,
    stop_devnet,
)
from ledger.chain.devnet_anvil import anvil_command, chain_arguments, wait_until_ready
from ledger.chain.devnet_clock import date_next_block, return_to_present
from ledger.chain.devnet_record import ProcessRecord
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.chain.devnet_state import LAST_WORDS, PREVIOUS, STATE
from ledger.chain.toolchain import find_foundry_tool
from ledger.config import Settings
from ledger.errors import (
    AlreadyRunning,
    ChainMismatch,
    DevnetFailed,
    DevnetStateUnusable,
    FolderUnusable,
    InvalidValue,
    NodeRefused,
    PortInUse,
)
from ledger.processes import ChildProcess, ProcessIdentity, identify_process, is_running, wait_until
from tests.support.devnet import (
    Devnet,
    detached_devnet,
    new_settings,
    running_devnet,
    wait_for_save,
)

SEASON = 1_750_000_000
SENDER = "0x" + "5e" * 20
# Returns its first slot when called without data; with data, adds one to it and logs the new value:
# CALLDATASIZE PUSH1 0c JUMPI | SLOAD 0, return it | JUMPDEST, SSTORE 0, LOG1
COUNTER = "36600c575f545f5260205ff35b5f54600101805f555f5261123460205fa100"
DEPLOY_COUNTER = f"0x60{len(COUNTER) // 2:02x}8060095f395ff3{COUNTER}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return new_settings(tmp_path / "home")


def send(rpc: DevnetRpc, **transaction: Any) -> dict[str, Any]:
    """Send as an account that nobody has a key of; the receipt."""
    rpc.call("anvil_setBalance", SENDER, hex(10**20))
    rpc.call("anvil_impersonateAccount", SENDER)
    asked = {"from": SENDER, "gas": hex(500_000), **transaction}
    sent = rpc.call("eth_sendTransaction", asked)
    found: list[dict[str, Any]] = []

    def is_mined() -> bool:
        receipt = rpc.call("eth_getTransactionReceipt", sent)
        found.extend([receipt] if receipt is not None else [])
        return bool(found)

    assert wait_until(is_mined, seconds=20, pause=0.002)
    assert found[0]["status"] == "0x1"
    return found[0]


def whole_history(rpc: DevnetRpc) -> dict[str, Any]:
    """All that the chain says of its past."""
    numbers = [hex(number) for number in range(rpc.head().number + 1)]
    blocks = [rpc.call("eth_getBlockByNumber", number, True) for number in numbers]
    return {
        "blocks": blocks,
        "by_hash": [rpc.call("eth_getBlockByHash", block["hash"], True) for block in blocks],
        "receipts": [rpc.call("eth_getBlockReceipts", number) for number in numbers],
        "logs": rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}),
    }


def is_linked(history: dict[str, Any]) -> bool:
    return all(
        later["parentHash"] == earlier["hash"]
        and int(later["timestamp"], 16) >= int(earlier["timestamp"], 16)
        for earlier, later in itertools.pairwise(history["blocks"])
    )


def test_restart__three_times_over__keeps_every_block_receipt_and_log(settings: Settings) -> None:
    with running_devnet(settings, DevnetOptions(genesis_time=SEASON)) as devnet:
        counter = send(devnet.rpc, data=DEPLOY_COUNTER)["contractAddress"]
        send(devnet.rpc, to=counter, data="0x01")
        before = whole_history(devnet.rpc)
    assert int(before["blocks"][0]["timestamp"], 16) == SEASON

    for round_ in range(2, 5):
        with running_devnet(settings) as devnet:
            assert devnet.said == []
            assert whole_history(devnet.rpc) == before
            called = devnet.rpc.call("eth_call", {"to": counter}, "latest")
            assert int(called, 16) == round_ - 1
            send(devnet.rpc, to=counter, data="0x01")
            before = whole_history(devnet.rpc)
            assert is_linked(before)
            assert len(before["logs"]) == round_


def test_restart__of_a_chain_behind_the_clock__gives_the_next_block_the_present(
    settings: Settings,
) -> None:
    with running_devnet(settings, DevnetOptions(genesis_time=SEASON)) as devnet:
        assert devnet.mine().timestamp < SEASON + 3600

    before = int(time.time())
    with running_devnet(settings) as devnet:
        assert devnet.mine().timestamp >= before


def test_restart__of_a_chain_ahead_of_the_clock__never_goes_back(settings: Settings) -> None:
    ahead = int(time.time()) + 30 * 86_400
    with running_devnet(settings) as devnet:
        date_next_block(devnet.rpc, ahead)
        assert devnet.mine().timestamp == ahead

    with running_devnet(settings) as devnet:
        assert devnet.mine().timestamp >= ahead


def test_clock__over_a_restart__dates_blocks_in_the_past_and_comes_back(
    settings: Settings,
) -> None:
    with running_devnet(settings, DevnetOptions(genesis_time=SEASON)) as devnet:
        date_next_block(devnet.rpc, SEASON + 86_400)
        assert devnet.mine().timestamp == SEASON + 86_400

    with running_devnet(settings) as devnet:
        date_next_block(devnet.rpc, SEASON + 2 * 86_400)
        assert devnet.mine().timestamp == SEASON + 2 * 86_400
        with pytest.raises(InvalidValue, match="at least the head's"):
            date_next_block(devnet.rpc, SEASON + 86_400)
        now = int(time.time())
        return_to_present(devnet.rpc, now)
        assert devnet.mine().timestamp >= now


def test_save__after_a_block__comes_without_a_stop(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        wait_for_save(settings, devnet.mine(3).number)
        saved = devnet_status(settings).saved
        assert saved is not None
        assert saved.block_hash == "0x" + devnet.rpc.head().block_hash.hex()


def test_anvil__killed__runs_again_with_what_was_saved(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        wait_for_save(settings, devnet.mine(3).number)
        before = whole_history(devnet.rpc)

        kill_anvil(settings, devnet)

        assert devnet.said == [
            "anvil was ended by signal 9 (SIGKILL); it runs again from its saved state, at block 3."
        ]
        assert whole_history(devnet.rpc) == before
        devnet.running.check()
        assert len(devnet.said) == 1
        wait_for_save(settings, devnet.mine().number)


def test_anvil__killed_over_and_over__is_given_up(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        for _ in range(3):
            kill_anvil(settings, devnet)

        with pytest.raises(DevnetFailed, match="SIGKILL"):
            kill_anvil(settings, devnet)


def kill_anvil(settings: Settings, devnet: Devnet) -> None:
    """kill -9, and what its supervisor then does."""
    process = devnet_status(settings).process
    assert process is not None
    os.kill(process.anvil.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(process.anvil), seconds=10)
    devnet.running.check()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_supervisor__killed__takes_anvil_along_and_loses_nothing(settings: Settings) -> None:
    with detached_devnet(settings) as started, DevnetRpc(started["url"]) as rpc:
        send(rpc, data=DEPLOY_COUNTER)
        before = whole_history(rpc)
        process = devnet_status(settings).process
        assert process is not None

        os.kill(process.supervisor.pid, signal.SIGKILL)

        assert wait_until(lambda: devnet_status(settings).condition == "stopped", seconds=20)
        assert not is_running(process.anvil)
    with running_devnet(settings) as devnet:
        assert whole_history(devnet.rpc) == before


def test_start__beside_a_running_one__is_refused(settings: Settings) -> None:
    with running_devnet(settings):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
            start_devnet(settings, report=print)
        with pytest.raises(AlreadyRunning):
            reset_devnet(settings)
        assert devnet_status(settings).condition == "running"


def test_start__on_a_port_in_use__names_who_has_it(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.devnet_port))
        other.listen()

        with pytest.raises(PortInUse) as raised:
            start_devnet(settings, report=print)

    assert f"process {os.getpid()}" in str(raised.value)
    assert "MOONLAKE_DEVNET_PORT" in raised.value.advice
    with running_devnet(settings) as devnet:
        assert devnet.mine().number == 1


def test_start__in_a_folder_that_cannot_be_used__says_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")

    with pytest.raises(FolderUnusable, match="home"):
        start_devnet(new_settings(tmp_path / "home"), report=print)


def test_start__with_a_torn_state__goes_on_from_the_one_before(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        wait_for_save(settings, devnet.mine().number)
        wait_for_save(settings, devnet.mine().number)
    state = devnet_folder(settings).path / STATE
    state.write_bytes(state.read_bytes()[:1000])

    with running_devnet(settings) as devnet:
        assert "state.json is unusable" in devnet.said[0]
        assert devnet.rpc.head().number in (1, 2)


def test_start__with_nothing_to_go_on_from__is_refused_until_a_reset(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        wait_for_save(settings, devnet.mine().number)
    folder = devnet_folder(settings).path
    for name in (STATE, PREVIOUS):
        (folder / name).write_bytes(b"torn")

    with pytest.raises(DevnetStateUnusable):
        start_devnet(settings, report=print)

    assert reset_devnet(settings) is not None
    with running_devnet(settings) as devnet:
        assert devnet.rpc.head().number == 0


def test_start__with_the_state_of_another_chain__is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    with running_devnet(settings) as devnet:
        devnet.mine()
    other = new_settings(tmp_path / "other")
    with running_devnet(other, DevnetOptions(genesis_time=SEASON)) as devnet:
        devnet.mine()
    (devnet_folder(other).path / STATE).replace(devnet_folder(settings).path / STATE)

    with pytest.raises(ChainMismatch, match="block 0"):
        start_devnet(settings, report=print)
    with pytest.raises(ChainMismatch, match="chain id"):
        start_devnet(settings, DevnetOptions(chain_id=5), report=print)
    assert devnet_status(settings).condition == "stopped"


def test_orphan__without_a_supervisor__is_saved_and_taken_over(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        devnet.mine()
    folder = devnet_folder(settings)
    command = anvil_command(find_foundry_tool("anvil"), settings.devnet_port)
    command += chain_arguments(
        chain_id=31337,
        begin=int(time.time()),
        state=folder.path / STATE,
        last_words=folder.path / LAST_WORDS,
    )
    url = f"http://127.0.0.1:{settings.devnet_port}"
    gone = ProcessIdentity(os.getpid(), "long ago")
    with ChildProcess(
        "anvil", command, folder=folder.path, log=folder.log, at_parents_end=None
    ) as orphan:
        wait_until_ready(orphan, url, folder.log)
        with DevnetRpc(url) as rpc:
            rpc.call("anvil_mine", "0x2")
        folder.process = ProcessRecord("moonlake devnet", gone, orphan.identity, url, ready=True)
        assert devnet_status(settings).condition == "orphaned"

        with running_devnet(settings) as devnet:
            assert "had lost its supervisor" in devnet.said[0]
            assert devnet.rpc.head().number == 3
        assert orphan.has_ended


def test_stop__with_the_number_of_another_process__leaves_that_alone(settings: Settings) -> None:
    folder = devnet_folder(settings)
    folder.prepare()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        recycled = ProcessIdentity(innocent.pid, "another boot/1")
        folder.process = ProcessRecord("moonlake devnet", recycled, recycled, "http://127.0.0.1:1")

        assert stop_devnet(settings, report=print) is False

        assert is_running(identify_process(innocent.pid))
        assert devnet_status(settings).condition == "stopped"
        innocent.communicate(b"\n")


def test_reset__sets_everything_aside_and_a_new_chain_begins(settings: Settings) -> None:
    with running_devnet(settings, DevnetOptions(genesis_time=SEASON)) as devnet:
        devnet.mine()
    deployment = settings.home / "deployments" / "31337.json"
    deployment.parent.mkdir()
    deployment.write_text("{}")
    state = (devnet_folder(settings).path / STATE).read_bytes()

    aside = reset_devnet(settings)

    assert aside is not None
    assert (aside / STATE).read_bytes() == state
    assert (aside / "31337.json").exists()
    assert not deployment.exists()
    assert reset_devnet(settings) is None
    with running_devnet(settings) as devnet:
        assert devnet.rpc.head().number == 0
        assert devnet.rpc.head().timestamp > SEASON


def test_anvil_reset__by_somebody__keeps_the_old_chain_aside(settings: Settings) -> None:
    with running_devnet(settings, DevnetOptions(genesis_time=SEASON)) as devnet:
        wait_for_save(settings, devnet.mine(2).number)
        devnet.rpc.call("anvil_reset")
        assert wait_until(lambda: bool(devnet.said), seconds=20)
        assert "anvil_reset" in devnet.said[0]
        genesis = devnet.rpc.block(0)
        wait_for_save(settings, devnet.mine(3).number)

    [aside] = devnet_folder(settings).path.glob("set-aside-*")
    assert msgspec.json.decode((aside / STATE).read_bytes())["best_block_number"] == 2
    with running_devnet(settings) as devnet:
        assert devnet.rpc.block(0) == genesis
        assert devnet.rpc.head().number == 3


def test_fork__of_another_chain__has_its_blocks_and_leaves_ours_alone(
    settings: Settings, tmp_path: Path
) -> None:
    with running_devnet(settings) as devnet:
        ours = devnet.mine(5)
    other = new_settings(tmp_path / "other")
    with running_devnet(other) as source:
        source.mine(2)
        with running_devnet(settings, DevnetOptions(fork_url=source.running.url)) as fork:
            assert fork.rpc.head() == source.rpc.head()
            assert fork.mine().number == 3
            status = devnet_status(settings)
            assert status.process is not None
            assert status.process.fork_url == source.running.url
        assert source.rpc.head().number == 2

    with running_devnet(settings) as devnet:
        assert devnet.rpc.head() == ours


def test_fork__of_a_chain_that_does_not_answer__says_so(settings: Settings, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"

    with pytest.raises(DevnetFailed, match="Connection refused"):
        start_devnet(settings, DevnetOptions(fork_url=url), report=print)

    assert devnet_status(settings).condition == "stopped"


def test_chain__as_it_is_started__has_the_rules_of_a_public_one(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        assert devnet.rpc.call("eth_chainId") == "0x7a69"
        assert devnet.rpc.call("eth_accounts") == []
        assert devnet.rpc.call("eth_getBlockByNumber", "latest", False)["gasLimit"] == "0x3938700"
        send(devnet.rpc, to=SENDER, gas=hex(2**24))
        with pytest.raises(NodeRefused, match="gas too high"):
            send(devnet.rpc, to=SENDER, gas=hex(2**24 + 1))


def test_reorganisation__after_a_restart__survives_the_next_one(settings: Settings) -> None:
    with running_devnet(settings) as devnet:
        send(devnet.rpc, data=DEPLOY_COUNTER)
    with running_devnet(settings) as devnet:
        devnet.mine(4)
        devnet.rpc.call("anvil_reorg", 3, [])
        before = whole_history(devnet.rpc)
    with running_devnet(settings) as devnet:
        assert whole_history(devnet.rpc) == before
