"""What a Prometheus server scrapes: how the mirror does, read from the database at each scrape.

Nothing is counted in this process, so that any number of server processes tell the same. Nodes are
told apart by their place in the settings: a host's name may be nobody's business.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger import __version__
from ledger.domain.verification import Level
from ledger.mirror.nodes import Condition
from ledger.mirror.overview import Overview, lag_seconds

CONTENT_TYPE = CONTENT_TYPE_LATEST


def render_metrics(overview: Overview, *, now: float, can_write: bool) -> bytes:
    """The metrics of a mirror that can be read."""
    return _render([*_about(""), *_of_mirror(overview, now, can_write=can_write)])


def render_unreadable(code: str) -> bytes:
    """The metrics where the mirror cannot be read, for a reason with an error's code."""
    return _render(_about(code))


class _Given(Collector):
    """Gives metrics that were made before."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _render(metrics: list[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(metrics))
    return generate_latest(registry)


def _about(code: str) -> list[Metric]:
    build = GaugeMetricFamily("moonlake_build_info", "The release.", labels=["version"])
    build.add_metric([__version__], 1)
    readable = GaugeMetricFamily(
        "moonlake_mirror_readable", "1 where the mirror can be read.", labels=["code"]
    )
    readable.add_metric([code], 0 if code else 1)
    return [build, readable]


def _of_mirror(overview: Overview, now: float, *, can_write: bool) -> Iterator[Metric]:
    state, tallies = overview.state, overview.tallies
    yield _gauge("cursor_block", "The last block applied.", state.cursor.number)
    yield _gauge("cursor_timestamp_seconds", "That block's time.", state.cursor.timestamp)
    yield _gauge("head_block", "The chain's head at the last look.", state.head_number)
    yield _gauge("final_block", "The last block that cannot go.", state.final_number)
    yield _gauge("lag_blocks", "Blocks that the chain is ahead.", state.lag)
    yield _gauge("lag_seconds", "Age of the cursor where it lags.", lag_seconds(state, now))
    yield _gauge("last_look_timestamp_seconds", "When it looked.", state.looked_at / 1000)
    yield _gauge("can_write", "0 while the mirror says that it cannot write.", int(can_write))
    halted = GaugeMetricFamily("moonlake_mirror_halted", "1 where it halted.", labels=["code"])
    halted.add_metric([state.halt.code if state.halt else ""], int(state.halt is not None))
    yield halted
    yield _blocks_by_level(overview)
    yield _gauge("schema_version", "The version of its tables.", state.schema_version)
    yield _gauge("leader_epoch", "How often a mirror took the lead.", overview.leader.epoch)
    yield _gauge("led", "1 while a mirror leads.", int(overview.leader.holder != ""))
    yield _counter("commits", "Commits of blocks.", tallies.commits)
    yield _counter("events", "Raw logs that came in.", tallies.applied_logs)
    yield _counter("reorganisations", "Times that blocks were replaced.", tallies.reorganisations)
    yield _counter("rebuilds", "Times that its tables were built anew.", state.generation)
    yield from _of_nodes(overview)


def _blocks_by_level(overview: Overview) -> Metric:
    family = GaugeMetricFamily(
        "moonlake_mirror_blocks", "Mirrored blocks by level of proof.", labels=["level"]
    )
    for level in Level:
        ranges = [each for each in overview.ranges if each.level is level]
        family.add_metric([level], sum(each.last - each.first + 1 for each in ranges))
    return family


def _of_nodes(overview: Overview) -> Iterator[Metric]:
    conditions = GaugeMetricFamily(
        "moonlake_node_condition", "1 for how a node does.", labels=["node", "condition", "code"]
    )
    heads = GaugeMetricFamily("moonlake_node_head_block", "A node's head.", labels=["node"])
    for node in overview.nodes:
        for condition in Condition:
            is_so = node.condition is condition
            conditions.add_metric(
                [str(node.position), condition, node.code if is_so else ""], int(is_so)
            )
        if node.head_number is not None:
            heads.add_metric([str(node.position)], node.head_number)
    yield conditions
    yield heads


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"moonlake_mirror_{name}", words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(f"moonlake_mirror_{name}", words, value=value)
