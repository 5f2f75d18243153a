"""Processes share buckets and connections, whoever of them is asked."""

from __future__ import annotations

import os
import socket

import pytest

from ledger.shared_counters import Listener, SharedCounters


def test_bucket__that_two_processes_take_from__is_one() -> None:
    counters = SharedCounters()

    def take(times: int) -> int:
        got = [counters.take("one", 1, depth=60, now=100.0) == 0 for _ in range(times)]
        return sum(got)

    assert take(40) == 40
    pid = os.fork()
    if pid == 0:
        os._exit(take(40))  # what a process got is its exit code
    _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 20
    assert take(5) == 0
    assert counters.take("one", 1, depth=60, now=100.0) == 1
    assert counters.take("one", 1, depth=60, now=101.0) == 0
    assert counters.take("two", 60, depth=60, now=101.0) == 0
    assert counters.take("two", 61, depth=60, now=1e6) == 1


def test_listener__of_a_process_that_has_more__lets_another_by_for_a_moment() -> None:
    with Listener(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        listener.counters = counters = SharedCounters()
        counters.running[0], counters.running[1] = 3, 1
        with socket.create_connection(listener.getsockname()):
            with pytest.raises(BlockingIOError):
                listener.accept()
            for _ in range(1_000_000):  # the other never comes, so it is taken all the same
                try:
                    taken, _address = listener.accept()
                except BlockingIOError:
                    continue
                break
            taken.close()
        assert counters.running[0] == 4
        counters.running[0] = 1
        with socket.create_connection(listener.getsockname()):
            taken, _address = listener.accept()  # at once: nobody has fewer
            taken.close()
