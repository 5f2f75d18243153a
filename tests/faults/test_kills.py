"""kill -9 at random points of a mirror's work: nothing is lost, doubled or half written."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.processes import own_environment
from tests.faults.conftest import ONE, Target, Targets
from tests.faults.test_chain import digest_of, reorganise
from tests.support.happenings import Ledger

VICTIM = Path(__file__).with_name("victim.py")
ROOT = Path(__file__).parents[2]
POINTS = 120
"""How many points there are in a run of some blocks, about."""


def test_mirror__killed_at_random_points__loses_nothing_and_doubles_nothing(
    new_target: Target,
    targets: Targets,
    kind: str,
    young_ledger: Ledger,
    request: pytest.FixtureRequest,
) -> None:
    chance = random.Random(f"{kind} 9")
    kills = 0
    wanted = request.config.getoption("--kills", default=10)
    command = [
        sys.executable,
        str(VICTIM),
        str(young_ledger.path),
        new_target.url,
        young_ledger.anvil.url,
    ]
    new_target.engine.dispose()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=own_environment(PYTHONPATH=str(ROOT)),
    ) as victim:
        assert victim.stdin is not None
        assert victim.stdout is not None
        while kills < wanted:
            victim.stdin.write(json.dumps({"kill_at": chance.randrange(1, POINTS)}) + "\n")
            victim.stdin.flush()
            ended = json.loads(victim.stdout.readline())["ended"]
            assert ended in (0, -signal.SIGKILL)
            if ended:
                kills += 1
                continue
            # It reached the head: give it more to do, now and then by another history.
            for number in range(3):
                young_ledger.award(ONE, (1 + number, 1 + chance.randrange(9)), (5, 1))
            if chance.random() < 0.5:
                reorganise(young_ledger, 2)
        victim.stdin.close()
        assert victim.wait(30) == 0
    new_target.through(young_ledger.anvil.url)
    new_target.sync()
    new_target.assert_equal()
    clean = targets.make(kind, young_ledger)
    clean.sync()
    assert digest_of(new_target) == digest_of(clean)
