"""The files of the devnet's state: whichever of them is damaged, the best whole one is used."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.chain.devnet_dump import read_dump
from ledger.chain.devnet_state import LAST_WORDS, PREVIOUS, STATE, StateFiles
from ledger.errors import DevnetStateUnusable
from tests.support.anvil import Anvil


@pytest.fixture
def states(fresh_anvil: Anvil) -> tuple[bytes, bytes, bytes]:
    """The contents of three states, at blocks 1, 2 and 3."""
    contents = []
    for _ in range(3):
        fresh_anvil.mine()
        dumped = gzip.decompress(bytes.fromhex(fresh_anvil.rpc.call("anvil_dumpState")[2:]))
        contents.append(read_dump(dumped).content)
    first, second, third = contents
    return first, second, third


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "devnet"
    made.mkdir()
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_load__of_an_empty_folder__is_a_chain_not_begun(folder: Path) -> None:
    assert StateFiles(folder).load() is None


def test_load__after_saves__gives_the_last(
    folder: Path, states: tuple[bytes, bytes, bytes]
) -> None:
    files = StateFiles(folder)
    for content in states:
        files.save(content)

    loaded = files.load()

    assert loaded is not None
    assert (loaded.dump.number, loaded.path, loaded.notes) == (3, folder / STATE, ())
    assert read_dump((folder / PREVIOUS).read_bytes()).number == 2
    assert names(folder) == {STATE, PREVIOUS}


@pytest.mark.parametrize("damage", [b"", b"{", b"not a state"])
def test_load__with_the_last_torn__goes_on_from_the_one_before_and_says_so(
    folder: Path, states: tuple[bytes, bytes, bytes], damage: bytes
) -> None:
    files = StateFiles(folder)
    files.save(states[0])
    files.save(states[1])
    (folder / STATE).write_bytes(damage)

    loaded = files.load()

    assert loaded is not None
    assert loaded.dump.number == 1
    assert "state.json is unusable" in loaded.notes[0]
    assert loaded.notes[-1] == "Going on from state.previous.json, at block 1."
    [aside] = folder.glob("state.unusable-*.json")
    assert aside.read_bytes() == damage
    again = files.load()
    assert again is not None
    assert (again.dump.number, again.notes) == (1, ())


def test_load__with_nothing_whole__says_what_to_do_and_deletes_nothing(folder: Path) -> None:
    (folder / STATE).write_bytes(b"1")
    (folder / PREVIOUS).write_bytes(b"2")

    with pytest.raises(DevnetStateUnusable, match=r"state\.json is unusable") as raised:
        StateFiles(folder).load()

    assert "moonlake devnet reset" in raised.value.advice
    assert sorted(path.read_bytes() for path in folder.iterdir()) == [b"1", b"2"]


def test_load__with_anvils_last_words__goes_on_from_them(
    folder: Path, states: tuple[bytes, bytes, bytes]
) -> None:
    files = StateFiles(folder)
    files.save(states[0])
    (folder / LAST_WORDS).write_bytes(states[2])

    loaded = files.load()

    assert loaded is not None
    assert loaded.dump.number == 3
    assert (folder / STATE).read_bytes() == states[2]
    assert (folder / PREVIOUS).read_bytes() == states[0]
    assert not (folder / LAST_WORDS).exists()


def test_load__with_torn_last_words__goes_on_from_what_was_saved(
    folder: Path, states: tuple[bytes, bytes, bytes]
) -> None:
    files = StateFiles(folder)
    files.save(states[0])
    (folder / LAST_WORDS).write_bytes(states[2][:-1])

    loaded = files.load()

    assert loaded is not None
    assert loaded.dump.number == 1
    assert "last-words.json is unusable" in loaded.notes[0]


def test_save__cut_off_by_a_full_disk__keeps_the_last(
    folder: Path, states: tuple[bytes, bytes, bytes]
) -> None:
    files = StateFiles(folder)
    files.save(states[0])
    # A process that may write no more than a few bytes a file stands for the full disk.
    cut_off = f"""
import resource, signal
from pathlib import Path
from ledger.chain.devnet_state import StateFiles
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    StateFiles(Path({str(folder)!r})).save(bytes(1000))
except OSError:
    raise SystemExit(7)
"""
    done = subprocess.run([sys.executable, "-c", cut_off], check=False)

    loaded = files.load()

    assert done.returncode == 7
    assert loaded is not None
    assert (loaded.dump.content, loaded.notes) == (states[0], ())
