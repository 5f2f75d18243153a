"""Two small contracts that fill real blocks with logs.

They are assembled here rather than compiled, so that they cost a test nothing.

The emitter logs whatever its caller asks for. Its calldata are a run of records, each one log:

    1 byte   number of topics, 0 to 4
    2 bytes  length of the data
    4 words  topics (those beyond the number are ignored)
    n bytes  data

The journal posts entries as Credits does, numbered and with a head, without any of its rules. Its
calldata are the event's topic, then four words an entry: organisation, category, amount, evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "EQ": 0x14, "AND": 0x16, "BYTE": 0x1A, "SHR": 0x1C, "SHA3": 0x20,
    "CALLER": 0x33, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37,
    "CODECOPY": 0x39, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52, "SLOAD": 0x54, "SSTORE": 0x55,
    "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82,
    "DUP4": 0x83, "DUP5": 0x84, "DUP6": 0x85, "SWAP1": 0x90, "LOG0": 0xA0, "LOG1": 0xA1,
    "LOG2": 0xA2, "LOG3": 0xA3, "LOG4": 0xA4, "RETURN": 0xF3,
}  # fmt: skip
_HEADER = 3 + 4 * 32


def assemble(source: str) -> bytes:
    """Words separated by blanks: opcodes, numbers (pushed, two bytes), `name:` and `@name`."""
    words = source.split()
    sizes = [1 if w in _OPCODES or w.endswith(":") else 3 for w in words]
    places = {w[:-1]: sum(sizes[:i]) for i, w in enumerate(words) if w.endswith(":")}
    code = bytearray()
    for word in words:
        if word.endswith(":"):
            code.append(_OPCODES["JUMPDEST"])
        elif word in _OPCODES:
            code.append(_OPCODES[word])
        else:
            value = places[word[1:]] if word.startswith("@") else int(word)
            code += b"\x61" + value.to_bytes(2, "big")
    return bytes(code)


def _log_case(topics: int) -> str:
    """Stack on entry: position, number of topics, length of the data."""
    pushes = " ".join(
        f"DUP{3 + done} {3 + 32 * k} ADD CALLDATALOAD"
        for done, k in enumerate(reversed(range(topics)))
    )
    return f"case{topics}: {pushes} DUP{1 + topics} 0 LOG{topics} @next JUMP"


def _runtime() -> bytes:
    choose = " ".join(f"DUP2 {n} EQ @case{n} JUMPI" for n in range(5))
    cases = " ".join(_log_case(n) for n in range(5))
    return assemble(
        f"""
        0
        loop: DUP1 CALLDATASIZE EQ @done JUMPI
        DUP1 CALLDATALOAD 0 BYTE
        DUP2 CALLDATALOAD 232 SHR 65535 AND
        DUP1 DUP4 {_HEADER} ADD 0 CALLDATACOPY
        {choose} STOP
        {cases}
        next: SWAP1 POP ADD {_HEADER} ADD @loop JUMP
        done: 1 0 SSTORE STOP
        """
    )


def creation_code() -> bytes:
    """What creates the emitter."""
    return _creating(_runtime())


def _creating(runtime: bytes) -> bytes:
    start = assemble(f"{len(runtime)} 17 0 CODECOPY {len(runtime)} 0 RETURN")
    assert len(start) == 17
    return start + runtime


def call_data(logs: Iterable[tuple[Sequence[bytes], bytes]]) -> bytes:
    """Calldata that make the emitter log these, each `(topics, data)`."""
    parts = []
    for topics, data in logs:
        words = b"".join(topics).ljust(128, b"\0")
        parts.append(bytes([len(topics)]) + len(data).to_bytes(2, "big") + words + data)
    return b"".join(parts)


def journal_creation_code() -> bytes:
    """What creates the journal; its head is in slot 0, its sequence in slot 1.

    Memory: topic, sequence, programme, organisation, the event's data with the head at 384, then
    the head before and the event's hash, side by side to be hashed.
    """
    return _creating(
        assemble(
            """
            0 CALLDATALOAD 0 MSTORE 1 64 MSTORE 1 128 MSTORE CALLER 320 MSTORE
            1 SLOAD 32 MSTORE 0 SLOAD 416 MSTORE
            32
            loop: DUP1 CALLDATASIZE EQ @done JUMPI
            32 MLOAD 1 ADD 32 MSTORE
            DUP1 CALLDATALOAD 96 MSTORE
            DUP1 32 ADD CALLDATALOAD 160 MSTORE
            DUP1 64 ADD CALLDATALOAD DUP1 192 MSTORE 224 MSTORE
            DUP1 96 ADD CALLDATALOAD DUP1 256 MSTORE 352 MSTORE
            384 0 SHA3 448 MSTORE
            64 416 SHA3 DUP1 416 MSTORE 384 MSTORE
            96 MLOAD 64 MLOAD 32 MLOAD 0 MLOAD 288 128 LOG4
            128 ADD @loop JUMP
            done: 416 MLOAD 0 SSTORE 32 MLOAD 1 SSTORE STOP
            """
        )
    )
