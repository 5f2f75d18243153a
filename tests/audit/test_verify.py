"""What an honest bundle is found to be, and what lacks where something lacks."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tarfile
from fractions import Fraction
from importlib import resources
from pathlib import Path

import msgspec

from ledger.audit.blocks import BlockProver
from ledger.audit.bundle import ORDER, opened_bundle
from ledger.audit.exporting import Exporter
from ledger.audit.findings import Findings
from ledger.audit.history.replay import History
from ledger.audit.report import render_report
from ledger.audit.sentences import SENTENCES
from ledger.audit.shares import check_shares
from ledger.audit.state import BALANCES, MEMBERSHIPS, ORGANISATIONS, TOTALS
from ledger.audit.verify import Verdict, verify_bundle
from ledger.chain.artifacts import JOURNALLED, load_artifact, load_compiler_input
from ledger.chain.compile import standard_json
from ledger.chain.recompile import Recompilation
from ledger.domain.shares import ShareRule
from tests.audit.conftest import POLICY, RULES, Audited, Compiled, say_nothing

CHECKOUT = Path(__file__).parents[2]


def verify(audited: Audited, path: Path | None = None) -> Verdict:
    return verify_bundle(
        path or audited.bundle, audited.anchor, compiling=Compiled, policy=POLICY, rules=RULES
    )


def test_verify__of_an_honest_bundle__is_complete_and_correct(audited: Audited) -> None:
    verdict = verify(audited)

    assert [each.sentence("en") for each in verdict.findings] == []
    assert (verdict.exit_code, verdict.word) == (0, "complete and correct")
    assert verdict.anchored == verdict.last_block == audited.anchor.block_number
    counts = {check.name: check.count for check in verdict.checks}
    contracts = audited.ledger.contracts
    sequences = sum(getattr(contracts, name.lower()).sequence(at="latest") for name in JOURNALLED)
    assert counts["lines"] == sequences
    # Nothing expired, and nobody seals blocks on a devnet.
    assert {name for name, count in counts.items() if not count} == {"expiries", "sealed"}
    assert verdict.finality == "operator"


def test_verify__of_one_bundle_twice__says_the_same_bytes(audited: Audited) -> None:
    first, second = (msgspec.json.encode(verify(audited).to_json()) for _ in range(2))

    assert first == second


def test_export__of_the_same_blocks__gives_the_same_bytes(audited: Audited, tmp_path: Path) -> None:
    ledger, again = audited.ledger, tmp_path / "again.tar"

    Exporter(ledger.node, ledger.deployment, say_nothing).export(again, audited.anchor.block_number)

    assert hashlib.sha256(again.read_bytes()).digest() == (
        hashlib.sha256(audited.bundle.read_bytes()).digest()
    )


def test_bundle__is_a_plain_tar_file_that_anybody_can_open(audited: Audited) -> None:
    with tarfile.open(audited.bundle) as archive:
        names = archive.getnames()
        sources = archive.extractfile("sources.json")
        assert sources is not None
        assert sources.read() == load_compiler_input()

    assert tuple(names) == ORDER


def test_verify__without_an_anchor__is_incomplete(audited: Audited) -> None:
    verdict = verify_bundle(audited.bundle, None, compiling=Compiled, policy=POLICY, rules=RULES)

    assert verdict.exit_code == 2
    assert set(verdict.findings.counts) == {"anchor.none"}


def test_verify__without_compiling__is_incomplete(audited: Audited) -> None:
    verdict = verify_bundle(audited.bundle, audited.anchor, policy=POLICY, rules=RULES)

    assert verdict.exit_code == 2
    assert set(verdict.findings.counts) == {"code.not_compiled"}


def test_verify__without_the_policy_that_credits_expired_by__is_incomplete(
    expired: Audited,
) -> None:
    verdict = verify_bundle(expired.bundle, expired.anchor, compiling=Compiled, rules=RULES)

    assert verdict.exit_code == 2
    assert set(verdict.findings.counts) == {"expiry.no_policy"}


def test_verify__of_credits_that_expired_too_early__names_each_of_them(expired: Audited) -> None:
    verdict = verify(expired)

    assert verdict.exit_code == 1
    assert set(verdict.findings.counts) == {"expiry.wrong"}
    assert all(each.row.startswith("Credits ") for each in verdict.findings)


def test_verify__of_a_bundle_that_ends_before_its_anchor__is_incomplete(
    audited: Audited, tmp_path: Path
) -> None:
    ledger, path = audited.ledger, tmp_path / "early.tar"
    last = audited.anchor.block_number - 3
    Exporter(ledger.node, ledger.deployment, say_nothing).export(path, last)

    verdict = verify(audited, path)

    assert verdict.exit_code == 2
    assert "anchor.outside" in verdict.findings.counts


def test_verify__of_blocks_after_the_anchor__is_incomplete(audited: Audited) -> None:
    header = audited.ledger.node.header(audited.anchor.block_number - 3)
    earlier = msgspec.structs.replace(
        audited.anchor, block_number=int(header.number, 16), block_hash=header.hash
    )

    verdict = verify_bundle(audited.bundle, earlier, compiling=Compiled, policy=POLICY, rules=RULES)

    assert verdict.exit_code == 2
    assert set(verdict.findings.counts) == {"anchor.beyond"}


def test_sentences__of_one_code__name_the_same_values() -> None:
    for code, both in SENTENCES.items():
        english, chinese = (
            {part.partition("}")[0] for part in text.split("{")[1:]} for text in both
        )
        assert both[0].endswith(".")
        assert both[1].endswith("。")
        assert english == chinese, code


def test_report__of_a_verdict__is_one_page_that_needs_nothing_else(audited: Audited) -> None:
    verdict = verify(audited)

    page = render_report(verdict)

    assert page == render_report(verify(audited))
    assert "Complete and correct" in page
    assert "完整且正确" in page
    assert verdict.last_hash in page
    assert not any(word in page for word in ("<script", "http://", "https://", "src=", "@import"))


def test_slots__of_the_verifier__are_those_of_the_compilers_layout() -> None:
    def slot(name: str, label: str) -> int:
        content = resources.files("ledger.artifacts").joinpath(f"{name}.json").read_bytes()
        layout = json.loads(content)["storageLayout"]["storage"]
        return int(next(each["slot"] for each in layout if each["label"] == label))

    assert slot("Credits", "_balances") == BALANCES
    assert slot("Credits", "_totals") == TOTALS
    assert slot("Memberships", "_memberships") == MEMBERSHIPS
    assert slot("Organisations", "_organisations") == ORGANISATIONS
    assert slot("Programmes", "_count") == 0


def test_recompilation__of_bundled_sources__gives_the_releases_code() -> None:
    # Of one contract: that all of them come of these sources is tested where they are built.
    document = json.loads(load_compiler_input())
    wanted = standard_json(CHECKOUT, ["CreditToken"])["sources"]
    document["sources"] = {path: document["sources"][path] for path in wanted}
    compiling = Recompilation(json.dumps(document).encode(), ["CreditToken"])

    codes = compiling.codes()
    compiling.close()

    artifact = load_artifact("CreditToken")
    assert codes == {"CreditToken": (artifact.bytecode, artifact.runtime_code)}


def test_verify__without_the_rule_of_a_distribution__is_incomplete(audited: Audited) -> None:
    verdict = verify_bundle(audited.bundle, audited.anchor, compiling=Compiled, policy=POLICY)

    assert verdict.exit_code == 2
    assert set(verdict.findings.counts) == {"shares.no_rule"}
    found = next(iter(verdict.findings))
    assert found.row.startswith("Shares ")
    assert found.block is not None
    assert found.log_index is not None


def test_shares__that_do_not_follow_from_the_entries_by_their_rule__are_named(
    audited: Audited,
) -> None:
    history, findings = replayed(audited), Findings()
    rule = RULES[0]
    assert check_shares(history, {rule.digest(): rule}, findings) == (1, True)
    assert findings.total == 0

    journal = history.credits.journals[history.shares.all[1].programme_id]
    first = next(place for place, each in enumerate(journal) if each.entry.amount > 0)
    more = dataclasses.replace(journal[first].entry, amount=journal[first].entry.amount + 5)
    journal[first] = dataclasses.replace(journal[first], entry=more)
    check_shares(history, {rule.digest(): rule}, findings)
    journal.clear()
    check_shares(history, {rule.digest(): rule}, findings)
    other = ShareRule(cap=Fraction(1, 3))
    check_shares(replayed(audited), {rule.digest(): other}, findings)

    assert findings.counts == {"shares.root": 2, "shares.nobody": 1}


def replayed(audited: Audited) -> History:
    """The history of the bundle, which a test may change."""
    with opened_bundle(audited.bundle) as bundle:
        places = bundle.places()
        history = History(places.addresses, places.chain_id, places.recovery_delay, lambda _: None)
        prover = BlockProver(list(history.contracts), places.chain_id, bundle.manifest.first_block)
        for record in bundle.records():
            history.take(prover.prove(record))
    return history
