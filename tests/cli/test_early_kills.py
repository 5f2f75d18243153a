"""`moonlake up --demo` killed as by a loss of power, early and again, and then left to finish."""

from __future__ import annotations

import http.client
from pathlib import Path

from ledger.chain.devnet_rpc import DevnetRpc
from ledger.config import Settings
from ledger.errors import NodeProblem
from ledger.processes import wait_until
from ledger.services.demonstration.calendar import SEASON_SECONDS
from tests.support.stacks import (
    READY_WITHIN,
    RunningStack,
    kill_process,
    moonlake_json,
    running_stack,
    stack_settings,
)

BEFORE_DEPLOYMENT, DEPLOYING, IMPORTING, IN_SEASON = 0, 2, 12, 35
"""The chain's block at which everything is killed."""


def wait_for_block(stack: RunningStack, number: int) -> None:
    """Return when the chain has a block."""

    def is_there() -> bool:
        try:
            with DevnetRpc(f"http://127.0.0.1:{stack.settings.devnet_port}") as rpc:
                return rpc.head().number >= number
        except NodeProblem:
            return stack.process.poll() is not None

    assert wait_until(is_there, seconds=READY_WITHIN, pause=0.01), stack.said
    assert stack.process.poll() is None, stack.said + stack.answer


def kill_all_at(settings: Settings, block: int) -> None:
    """Start, and end every process of it at once when the chain has a block."""
    stack = RunningStack(settings, "--demo")
    wait_for_block(stack, block)
    children = stack.children()
    stack.kill()
    for pid in children.values():
        try:
            kill_process(pid)
        except ProcessLookupError:
            continue  # anvil ends with its supervisor by itself


def code_of_readiness(stack: RunningStack) -> str:
    """Why the server is not ready; empty where it is, or does not answer yet."""
    try:
        _, body = stack.get("/readyz")
    except (OSError, http.client.HTTPException):
        return ""
    return str(body.get("code", ""))


def check_season(stack: RunningStack) -> None:
    """Everything is there once, and every block but those of today is dated in the season."""
    settings = stack.settings
    _, organisations = stack.get("/v1/organisations?limit=100")
    _, members = stack.get("/v1/organisations?programme=community&limit=100")
    memberships = moonlake_json(settings, "membership", "list")["memberships"]
    operations = moonlake_json(settings, "operation", "list")["operations"]
    _, newest = stack.get("/v1/entries?limit=1")
    with DevnetRpc(f"http://127.0.0.1:{settings.devnet_port}") as rpc:
        times = [rpc.block(number).timestamp for number in range(rpc.head().number + 1)]

    assert (len(organisations["items"]), len(members["items"])) == (44, 17)
    assert len(memberships) == 29 + 40
    assert newest["items"][0]["entry_id"] == 270
    assert {each["state"] for each in operations} == {"included"}
    assert times == sorted(times)
    of_today = [each for each in times if each > times[0] + SEASON_SECONDS]
    assert len(of_today) == 3  # the admissions, and two refusals


def test_up__everything_killed_early_and_again__the_next_start_completes_the_season_in_its_time(
    tmp_path: Path,
) -> None:
    settings = stack_settings(tmp_path / "home")
    for block in (BEFORE_DEPLOYMENT, DEPLOYING, IMPORTING, IN_SEASON):
        kill_all_at(settings, block)

    with running_stack(settings, "--demo") as stack:
        stack.wait_until_ready()
        check_season(stack)


def test_up__anvil_killed_while_it_seeds__goes_on_in_the_same_start(tmp_path: Path) -> None:
    settings = stack_settings(tmp_path / "home")
    with running_stack(settings, "--demo") as stack:
        wait_for_block(stack, IMPORTING)
        assert wait_until(lambda: code_of_readiness(stack) == "mirror.preparing", seconds=60)
        kill_process(stack.children()["anvil"])
        ready = stack.wait_until_ready()
        assert stack.is_ready_at(ready["block"])
        assert not list(settings.home.glob("starting-*"))
        check_season(stack)
        assert "is done again" in stack.said
