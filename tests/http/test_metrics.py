"""What Prometheus is told, in words that its own parser reads."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from ledger.mirror.trouble import Trouble
from ledger.store.bulk import insert_rows
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import (
    mirror_lease,
    mirror_nodes,
    mirror_tallies,
    verified_ranges,
)
from tests.http.conftest import NOW, Ledger
from tests.http.seed import LAST_BLOCK
from tests.http.test_caching import change_state
from tests.http.test_conditions import Serve

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: httpx.Client) -> Samples:
    """All samples, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def found(samples: Samples, name: str, **labels: str) -> float:
    """One sample."""
    return samples[name, frozenset(labels.items())]


def test_metrics__of_a_mirror_that_lags__tell_by_how_much(own_ledger: Ledger, serve: Serve) -> None:
    change_state(own_ledger, head_number=LAST_BLOCK + 7, cursor_timestamp=int(NOW) - 60)

    samples = scrape(serve(own_ledger.settings, lambda: NOW + 1))

    assert found(samples, "moonlake_mirror_readable", code="") == 1
    assert found(samples, "moonlake_mirror_cursor_block") == LAST_BLOCK
    assert found(samples, "moonlake_mirror_head_block") == LAST_BLOCK + 7
    assert found(samples, "moonlake_mirror_lag_blocks") == 7
    assert found(samples, "moonlake_mirror_lag_seconds") == 61
    assert found(samples, "moonlake_mirror_halted", code="") == 0
    assert found(samples, "moonlake_mirror_can_write") == 1
    assert found(samples, "moonlake_mirror_blocks", level="receipts") == LAST_BLOCK + 1
    assert found(samples, "moonlake_mirror_blocks", level="heads") == 0


def test_metrics__of_a_halted_mirror__tell_the_code_and_not_the_reason(
    own_ledger: Ledger, serve: Serve
) -> None:
    change_state(
        own_ledger,
        halted_code="node.answer_invalid",
        halted_reason="the node at https://user:SECRET@node.example lied",
        halted_block=LAST_BLOCK,
        halted_at=1,
    )
    client = serve(own_ledger.settings)

    samples = scrape(client)

    assert found(samples, "moonlake_mirror_halted", code="node.answer_invalid") == 1
    assert "SECRET" not in client.get("/metrics").text


def test_metrics__of_what_the_mirror_did__are_its_own_counts(
    own_ledger: Ledger, serve: Serve
) -> None:
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        insert_rows(connection, mirror_tallies, [(1, b"", 5, 400, 2)])
        insert_rows(connection, mirror_lease, [(1, 3, 9, 1, "host:1")])
        insert_rows(connection, verified_ranges, [(0, 99, "receipts"), (100, LAST_BLOCK, "heads")])
        rows = [
            (0, "one.example:8545", "in_use", "", 1, LAST_BLOCK, ""),
            (1, "two.example:8545", "passed_over", "node.unreachable", 1, None, "SECRET"),
        ]
        insert_rows(connection, mirror_nodes, rows)
    engine.dispose()
    client = serve(own_ledger.settings)

    samples = scrape(client)

    assert found(samples, "moonlake_mirror_commits_total") == 5
    assert found(samples, "moonlake_mirror_events_total") == 400
    assert found(samples, "moonlake_mirror_reorganisations_total") == 2
    assert found(samples, "moonlake_mirror_leader_epoch") == 3
    assert found(samples, "moonlake_mirror_led") == 1
    assert found(samples, "moonlake_mirror_blocks", level="heads") == LAST_BLOCK - 99
    assert found(samples, "moonlake_node_head_block", node="0") == LAST_BLOCK
    condition = {"node": "1", "condition": "passed_over", "code": "node.unreachable"}
    assert found(samples, "moonlake_node_condition", **condition) == 1
    said = client.get("/metrics").text
    assert "SECRET" not in said
    assert "example" not in said
    status = client.get("/v1/status").json()
    assert status["verification"] == "heads"
    assert status["verified"][1] == {
        "first_block": 100,
        "last_block": LAST_BLOCK,
        "level": "heads",
    }


def test_metrics__where_the_mirror_says_that_it_cannot_write__tell_it(
    own_ledger: Ledger, serve: Serve
) -> None:
    engine = open_engine(own_ledger.settings.database)
    trouble = Trouble(engine)
    trouble.tell()
    try:
        samples = scrape(serve(own_ledger.settings))
    finally:
        trouble.close()
        engine.dispose()

    assert found(samples, "moonlake_mirror_can_write") == 0


def test_metrics__where_nothing_is_mirrored__say_why(own_ledger: Ledger, serve: Serve) -> None:
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM mirror_state"))
    engine.dispose()

    samples = scrape(serve(own_ledger.settings))

    assert found(samples, "moonlake_mirror_readable", code="mirror.empty") == 0
    assert not any(name == "moonlake_mirror_cursor_block" for name, _ in samples)
