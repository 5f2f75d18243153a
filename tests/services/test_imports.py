"""A file is brought row by row, once: again, interrupted, corrected, where a contract objects."""

from __future__ import annotations

import csv
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from ledger.chain.contracts import authority, memberships
from ledger.chain.contracts.programmes import encode_set_budget
from ledger.chain.rpc import Node
from ledger.chain.signers import Signer
from ledger.domain.commands import Admission, Budget
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import (
    ContractRefused,
    ImportUnfinished,
    OperationCancelled,
    OperationOfAnother,
)
from ledger.services.imports.bringing import Bringing, Brought, write_down
from ledger.services.imports.columns import Subject
from ledger.services.imports.journal import (
    find_import,
    mark_asked,
    name_of,
    open_batches,
    read_batch,
)
from ledger.services.imports.kinds import Given
from ledger.services.imports.planning import MAX_ROWS, File, Plan
from ledger.services.imports.results import Result, read_results, summarise
from ledger.services.imports.spool import Action, Spool
from ledger.services.imports.values import Cells
from ledger.services.imports.withdrawing import cancel_unsent
from ledger.services.spreadsheets.tables import HowToRead, Row
from ledger.store.engine import open_engine, reading, writing
from tests.support.desks import HASTY, Sender, opened_engine
from tests.support.ledger import CATEGORY, FIRST_TIER, MEMBER, PROFILE, PROGRAMME, STRANGER, Ledger

HEADINGS = ("reference", "organisation", "amount", "category")


def write(path: Path, rows: list[tuple[object, ...]], headings: tuple[str, ...] = HEADINGS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings, *rows])
    return path


def award(number: int, amount: int = 1, org: int = MEMBER) -> tuple[object, ...]:
    return (f"A-{number}", org, amount, CATEGORY)


@contextmanager
def planned(
    sender: Sender,
    path: Path,
    *,
    by: Signer | None = None,
    subject: Subject = Subject.AWARDS,
    equal: bool = False,
    **given_: Any,
) -> Iterator[Plan]:
    given = Given(programme=PROGRAMME, folder=path.parent, **given_)
    signer = by or sender.ledger.officer
    file = File(subject, path, signer.address, given, HowToRead(most_rows=MAX_ROWS), equal)
    with Spool() as spool:
        plan = Plan(sender.desk, file, spool, lambda *_: None)
        plan.judge()
        yield plan


def bring(sender: Sender, path: Path, **given: Any) -> tuple[dict[Action, int], list[Result]]:
    signer = given.get("by") or sender.ledger.officer
    with planned(sender, path, **given) as plan:
        write_down(sender.desk, plan)
        finish(sender, plan.import_id, signer)
        return plan.counts(), results(sender, plan.import_id)


def finish(sender: Sender, import_id: bytes, by: Signer | None = None) -> Brought:
    signer = by or sender.ledger.officer
    return Bringing(sender.desk, signer, import_id, lambda *_: None).run()


def results(sender: Sender, import_id: bytes) -> list[Result]:
    with reading(sender.engine) as connection:
        found = name_of(connection, import_id)
    return list(read_results(sender.engine, found))


def entries(ledger: Ledger) -> int:
    return ledger.contracts.credits.sequence(at="latest")


def balance(ledger: Ledger, org: int = MEMBER) -> int:
    return ledger.contracts.credits.balance_of(PROGRAMME, org, at="latest")


# --- once -----------------------------------------------------------------------------------------


def test_import__of_awards__credits_each_row_and_tells_its_entry(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(own_ledger, engine, tmp_path)
    sender.mirror()
    path = write(tmp_path / "a.csv", [award(number, number) for number in range(1, 8)])
    first = entries(own_ledger) + 1

    counts, found = bring(sender, path)

    assert counts[Action.SEND] == 7
    assert balance(own_ledger) == sum(range(1, 8))
    assert [each.made for each in found] == list(range(first, first + 7))
    assert {each.state for each in found} == {"included"}
    assert len({each.transaction_hash for each in found}) == 1


def test_import__of_the_same_file_again__sends_nothing_and_has_the_same_results(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(own_ledger, engine, tmp_path)
    path = write(tmp_path / "a.csv", [award(number) for number in range(5)])
    _, first = bring(sender, path)
    nonce = sender.nonce()
    path = path.rename(tmp_path / "renamed.csv")

    counts, again = bring(sender, path)

    assert counts[Action.DONE] == 5
    assert again == first
    assert sender.nonce() == nonce
    assert balance(own_ledger) == 5


def test_import__of_a_corrected_file__sends_only_what_was_not_brought(
    sender: Sender, tmp_path: Path
) -> None:
    rows = [award(number) for number in range(6)]
    wrong = [*rows[:2], award(2, -5), *rows[3:5], award(5, 1, 99)]
    with planned(sender, write(tmp_path / "a.csv", wrong)) as plan:
        assert [each.line for each in plan.lines(Action.WRONG)] == [4, 7]
        write_down(sender.desk, plan)
        finish(sender, plan.import_id)
        assert [each.state for each in results(sender, plan.import_id)].count("wrong") == 2

    counts, found = bring(sender, write(tmp_path / "b.csv", rows))

    assert (counts[Action.DONE], counts[Action.SEND]) == (4, 2)
    assert balance(sender.ledger) == 6
    assert found[0].earlier.endswith("line 2")
    assert found[2].earlier == ""
    assert {each.state for each in found} == {"included"}


def test_import__of_a_reference_with_other_values__is_refused_in_its_row(
    sender: Sender, tmp_path: Path
) -> None:
    bring(sender, write(tmp_path / "a.csv", [award(1, 10)]))

    with planned(sender, write(tmp_path / "b.csv", [award(1, 20)])) as plan:
        (line,) = plan.lines(Action.WRONG)

    assert line.problems[0].field == "reference"
    assert "was brought with other values" in line.problems[0].expected


def test_import__of_equal_rows_without_references__is_refused_unless_they_are_meant(
    sender: Sender, tmp_path: Path
) -> None:
    row = ("", MEMBER, 3, CATEGORY)
    path = write(tmp_path / "a.csv", [row, row, row])
    with planned(sender, path) as plan:
        assert [each.line for each in plan.lines(Action.WRONG)] == [3, 4]
        assert "--allow-equal-rows" in next(plan.lines(Action.WRONG)).problems[0].expected

    counts, _ = bring(sender, path, equal=True)
    again, _ = bring(sender, path, equal=True)
    more, _ = bring(sender, write(tmp_path / "b.csv", [row] * 4), equal=True)

    assert (counts[Action.SEND], again[Action.DONE]) == (3, 3)
    assert (more[Action.DONE], more[Action.SEND]) == (3, 1)
    assert balance(sender.ledger) == 12


def test_import__of_rows_that_lost_or_got_their_references__is_refused(
    sender: Sender, tmp_path: Path
) -> None:
    bring(sender, write(tmp_path / "a.csv", [award(1, 5), ("", MEMBER, 6, CATEGORY)]))
    path = write(tmp_path / "b.csv", [("", MEMBER, 5, CATEGORY), award(2, 6), award(3, 7)])

    with planned(sender, path) as plan:
        assert [each.line for each in plan.lines(Action.WRONG)] == [2, 3]
        assert "without a reference" in list(plan.lines(Action.WRONG))[1].problems[0].expected
    counts, _ = bring(sender, path, equal=True)

    assert counts[Action.SEND] == 3


def test_import__of_equal_rows_under_another_label__is_another_import(
    sender: Sender, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [("", MEMBER, 3, CATEGORY)])
    bring(sender, path, label="2027-01")
    counts, _ = bring(sender, path, label="2027-02")

    assert counts[Action.SEND] == 1
    assert balance(sender.ledger) == 6


def test_import__with_a_reference_twice__refuses_the_second(sender: Sender, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [award(1), award(2), award(1)])
    with planned(sender, path) as plan:
        (line,) = plan.lines(Action.WRONG)
    assert (line.line, line.problems[0].expected) == (4, "in the file once: it was in line 2")


def test_import__by_another_key__does_nothing_twice(sender: Sender, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [award(1)])
    bring(sender, path)

    counts, _ = bring(sender, path, by=sender.ledger.issuer)

    assert counts[Action.DONE] == 1
    assert balance(sender.ledger) == 1


# --- interrupted ----------------------------------------------------------------------------------


def test_import__that_is_unfinished__holds_its_rows_until_it_is_finished_or_taken_back(
    sender: Sender, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [award(number) for number in range(4)])
    with planned(sender, path) as plan:
        write_down(sender.desk, plan)
        import_id = plan.import_id
    with pytest.raises(OperationOfAnother):
        finish(sender, import_id, sender.ledger.issuer)
    corrected = write(tmp_path / "b.csv", [award(number) for number in range(5)])
    with pytest.raises(ImportUnfinished) as refused, planned(sender, corrected):
        pass
    assert refused.value.values["count"] == 4

    with reading(sender.engine) as connection:
        found = name_of(connection, import_id)
    assert cancel_unsent(sender.engine, found) == 4
    assert {each.state for each in results(sender, import_id)} == {"cancelled"}
    counts, _ = bring(sender, corrected)

    assert counts[Action.SEND] == 5
    assert balance(sender.ledger) == 5


def test_import__killed_before_it_signed_anything__is_taken_back_for_whoever_comes_with_it(
    sender: Sender, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [award(number) for number in range(4)])
    with planned(sender, path) as plan:
        write_down(sender.desk, plan)
        import_id = plan.import_id
    with writing(sender.engine) as connection:
        found = name_of(connection, import_id)
        (batch,) = open_batches(connection, import_id)
        assert mark_asked(connection, batch.request.operation_id)
        whole = read_batch(connection, batch.request.operation_id)
    assert whole is not None

    assert cancel_unsent(sender.engine, found) == 4
    with pytest.raises(OperationCancelled):  # one that was about to send it
        sender.outbox.submit(whole.request, sender.ledger.officer)

    assert cancel_unsent(sender.engine, found) == 0
    assert {each.state for each in results(sender, import_id)} == {"cancelled"}
    assert {each.state for each in bring(sender, path)[1]} == {"included"}
    assert balance(sender.ledger) == 4


def test_import__whose_file_is_gone__is_finished_from_what_is_written_down(
    sender: Sender, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [award(number) for number in range(4)])
    with planned(sender, path) as plan:
        write_down(sender.desk, plan)
        import_id = plan.import_id
    path.unlink()

    assert finish(sender, import_id).done == 4

    with reading(sender.engine) as connection:
        found = find_import(connection, import_id.hex()[:8])
        assert summarise(connection, found).counts == {"included": 4}


def test_import__that_is_stopped__begins_nothing_more_and_is_finished_later(
    sender: Sender, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [award(number) for number in range(4)])
    stop = threading.Event()
    stop.set()
    with planned(sender, path) as plan:
        write_down(sender.desk, plan)
        signer = sender.ledger.officer
        bringing = Bringing(sender.desk, signer, plan.import_id, lambda *_: None, stop=stop)

        assert bringing.run() == Brought(0, 0, 0)

        assert {each.state for each in results(sender, plan.import_id)} == {"waiting"}
        assert finish(sender, plan.import_id) == Brought(4, 0, 0)


def kill_after(
    ledger: Ledger, url: str, folder: Path, path: Path, statements: int, size: int
) -> None:
    """Bring the file in batches of `size`, and be killed at a statement. Never returns."""
    try:
        engine = open_engine(url)
        left = [statements]
        lock = threading.Lock()

        def count(*_: object) -> None:
            with lock:
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        for name in ("before_cursor_execute", "commit"):
            event.listen(engine, name, count)
        node = Node(ledger.anvil.url)
        own = replace(ledger, node=node)
        bring_in_parts(Sender(own, engine, folder, node=node, rules=HASTY), path, size)
    finally:
        os._exit(7)


def bring_in_parts(sender: Sender, path: Path, size: int) -> list[Result]:
    with planned(sender, path) as plan:
        plan.kind = _Small(plan.kind, size)  # type: ignore[assignment]
        plan.look_again()
        write_down(sender.desk, plan)
        finish(sender, plan.import_id)
        return results(sender, plan.import_id)


class _Small:
    """A kind whose batches are small, so that there are many."""

    def __init__(self, inner: Any, size: int) -> None:
        self._inner = inner
        self._size = size

    def limit(self, *given: Any) -> Any:
        limit = self._inner.limit(*given)
        limit.most = self._size
        return limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_import__killed_again_and_again__credits_each_row_once(
    own_ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(database_url.partition(":")[0])
    total, kills = 0, 0
    for round_ in range(3):
        rows = [award(100 * round_ + number) for number in range(40)]
        path = write(tmp_path / f"{round_}.csv", rows)
        with opened_engine(database_url):
            pass  # the schema
        for _ in range(6):
            child = os.fork()
            if child == 0:
                kill_after(own_ledger, database_url, tmp_path, path, chance.randrange(5, 160), 4)
            _pid, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 7
            kills += os.WIFSIGNALED(status)
        with opened_engine(database_url) as engine:
            sender = Sender(own_ledger, engine, tmp_path, rules=HASTY)
            for _resumed in sender.outbox.resume():
                pass
            found = bring_in_parts(sender, path, 4)
        total += len(rows)
        assert {each.state for each in found} <= {"included", "final"}
        assert len({each.made for each in found}) == len(rows)
        assert balance(own_ledger) == total
    assert kills >= 6


def test_import__by_two_at_once__credits_each_row_once(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", [award(number) for number in range(30)])
    senders = [Sender(own_ledger, engine, tmp_path) for _ in range(2)]
    errors: list[Exception] = []

    def run(sender: Sender) -> None:
        try:
            bring_in_parts(sender, path, 5)
        except Exception as error:  # noqa: BLE001  told by the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in senders]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert errors == []
    assert balance(own_ledger) == 30


# --- what the contracts object to -----------------------------------------------------------------


def test_preview__of_what_the_ledger_objects_to__tells_each_row_and_changes_nothing(
    sender: Sender, tmp_path: Path
) -> None:
    sender.mirror()
    rows = [
        award(1),
        award(2, 1, STRANGER),
        award(3, 1, 77),
        ("A-4", MEMBER, 1, "unknown.kind"),
        ("A-5", MEMBER, "1,000", CATEGORY),
        ("A-6", MEMBER, "", CATEGORY),
        ("A-7", "", 2**53, CATEGORY),
    ]
    nonce = sender.nonce()
    with planned(sender, write(tmp_path / "a.csv", rows)) as plan:
        found = {each.reference: each for each in plan.lines()}
        counts = plan.counts()

    assert counts[Action.SEND] == 1
    fields = {name: [each.field for each in line.problems] for name, line in found.items()}
    assert fields == {
        "A-1": [],
        "A-2": ["organisation"],
        "A-3": ["organisation"],
        "A-4": ["category"],
        "A-5": ["amount"],
        "A-6": ["amount"],
        "A-7": ["organisation", "amount"],
    }
    assert "it never was one" in found["A-2"].problems[0].expected
    assert sender.nonce() == nonce


def test_preview__without_a_mirror__has_the_contracts_say_which_row_is_wrong(
    sender: Sender, tmp_path: Path
) -> None:
    rows = [award(1), award(2, 1, STRANGER), award(3)]
    with planned(sender, write(tmp_path / "a.csv", rows)) as plan:
        (line,) = plan.lines(Action.WRONG)
    assert line.line == 3
    assert "Memberships" in str(line.problems[0])


def test_preview__beyond_an_issuers_budget__tells_the_rows_that_are_too_many(
    sender: Sender, tmp_path: Path
) -> None:
    rows = [award(1, 50), award(2, 51), award(3, 30), award(4, 1)]
    path = write(tmp_path / "a.csv", rows)
    with planned(sender, path, by=sender.ledger.issuer) as plan:
        found = [(each.reference, each.problems[0].expected) for each in plan.lines(Action.WRONG)]
    assert [name for name, _ in found] == ["A-2", "A-4"]
    assert "in one award: 50" in found[0][1]
    assert "this epoch: 0" in found[1][1]


def test_preview__by_an_issuer_without_a_budget__has_the_contracts_own_words(
    sender: Sender, tmp_path: Path
) -> None:
    ledger = sender.ledger
    none = encode_set_budget(
        PROGRAMME, ledger.issuer.address, Budget(per_award=0, per_epoch=0), ledger.operation()
    )
    ledger.do(ledger.contracts.programmes.address, none)
    path = write(tmp_path / "a.csv", [award(1)])

    with planned(sender, path, by=ledger.issuer) as plan:
        (line,) = plan.lines(Action.WRONG)
    assert "CreditsAwardOverLimit" in str(line.problems[0])


def test_import__of_rows_that_went_bad_in_between__brings_the_others(
    sender: Sender, tmp_path: Path
) -> None:
    ledger = sender.ledger
    now = int(ledger.node.header("latest").timestamp, 16)
    to, op = ledger.contracts.memberships.address, ledger.operation
    admitted = [Admission(STRANGER, FIRST_TIER, now + 10**6, PROFILE)]
    ledger.do(to, memberships.encode_admit(PROGRAMME, admitted, "founding", op()))
    rows = [award(1), award(2, 1, STRANGER), award(3), award(4, 1, STRANGER), award(5)]
    with planned(sender, write(tmp_path / "a.csv", rows)) as plan:
        write_down(sender.desk, plan)
        ledger.do(to, memberships.encode_suspend(PROGRAMME, [STRANGER], "", op()))

        done = finish(sender, plan.import_id)

        found = results(sender, plan.import_id)
    assert (done.done, done.refused) == (3, 2)
    assert [each.state for each in found] == [
        "included",
        "failed",
        "included",
        "failed",
        "included",
    ]
    assert "MembershipsStatus" in found[1].sentence
    assert balance(ledger) == 3
    ledger.do(to, memberships.encode_resume(PROGRAMME, [STRANGER], "", op()))

    counts, again = bring(sender, tmp_path / "a.csv")

    assert (counts[Action.DONE], counts[Action.SEND]) == (3, 2)
    assert {each.state for each in again} == {"included"}
    assert balance(ledger, STRANGER) == 2


def test_import__whose_budget_somebody_else_has_drawn_on__brings_as_many_rows_as_go(
    sender: Sender, tmp_path: Path
) -> None:
    ledger, issuer = sender.ledger, sender.ledger.issuer
    path = write(tmp_path / "a.csv", [award(number, 10) for number in range(8)])
    with planned(sender, path, by=issuer) as plan:
        write_down(sender.desk, plan)
        sender.award(ledger.operation(), amount=30, by=issuer)

        done = finish(sender, plan.import_id, issuer)

        found = results(sender, plan.import_id)
    assert (done.done, done.refused) == (5, 3)
    assert [each.state for each in found] == ["included"] * 5 + ["failed"] * 3
    assert "CreditsAwardOverBudget" in found[5].sentence
    assert balance(ledger) == 80


def test_import__while_the_ledger_is_paused__keeps_everything_for_later(
    sender: Sender, tmp_path: Path
) -> None:
    ledger = sender.ledger
    to, op = ledger.contracts.authority.address, ledger.operation
    path = write(tmp_path / "a.csv", [award(1), award(2)])
    with planned(sender, path) as plan:
        write_down(sender.desk, plan)
        ledger.do(
            to, authority.encode_appoint("guardian", ALLIANCE_WIDE, ledger.officer.address, op())
        )
        ledger.do(to, authority.encode_pause(op()))
        with pytest.raises(ContractRefused):
            finish(sender, plan.import_id)
        assert {each.state for each in results(sender, plan.import_id)} == {"waiting"}
        ledger.do(to, authority.encode_resume(op()))
        assert finish(sender, plan.import_id).done == 2
    assert balance(ledger) == 2


# --- the other kinds ------------------------------------------------------------------------------


def test_import__of_organisations_then_memberships_then_awards__makes_members_by_their_keys(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(own_ledger, engine, tmp_path)
    headings = ("代号", "中文名称", "name_en", "账户地址")
    rows: list[tuple[object, ...]] = [
        (f"org-{number}", f"机构{number}", "", "0x" + f"{number + 100:040x}") for number in range(5)
    ]
    path = write(tmp_path / "o.csv", rows, headings)
    _, registered = bring(sender, path, subject=Subject.ORGANISATIONS)
    assert [each.made for each in registered] == [3, 4, 5, 6, 7]
    sender.mirror()
    again, _ = bring(sender, path, subject=Subject.ORGANISATIONS)
    assert again[Action.DONE] == 5

    columns = ("organisation", "tier", "expires", "action")
    joined: list[tuple[object, ...]] = [
        (f"org-{number}", "founding", "2090/1/31", "准入") for number in range(5)
    ]
    counts, admitted = bring(
        sender, write(tmp_path / "m.csv", joined, columns), subject=Subject.MEMBERSHIPS
    )
    assert counts[Action.SEND] == 5
    assert {each.state for each in admitted} == {"included"}
    sender.mirror()
    given_: list[tuple[object, ...]] = [("", f"org-{number}", 7, CATEGORY) for number in range(5)]
    bring(sender, write(tmp_path / "a.csv", given_))
    assert [balance(own_ledger, org) for org in range(3, 8)] == [7] * 5


def test_preview__of_organisations_that_are_there__knows_them(
    sender: Sender, tmp_path: Path
) -> None:
    headings = ("key", "name_en", "controller")
    rows: list[tuple[object, ...]] = [("one", "One", "0x" + "11" * 20)]
    bring(sender, write(tmp_path / "a.csv", rows, headings), subject=Subject.ORGANISATIONS)
    sender.mirror()
    more: list[tuple[object, ...]] = [
        ("one", "One", "0x" + "11" * 20),
        ("one", "One", "0x" + "22" * 20),
        ("two", "Two", "0x" + "11" * 20),
        ("three", "", "0x" + "33" * 20),
        ("Four!", "Four", "nonsense"),
    ]
    path = write(tmp_path / "b.csv", more, headings)
    with planned(sender, path, subject=Subject.ORGANISATIONS, label="x") as plan:
        found = [(each.action, [p.field for p in each.problems]) for each in plan.lines()]
    assert found == [
        (Action.THERE, []),
        (Action.WRONG, ["reference"]),
        (Action.WRONG, ["controller"]),
        (Action.WRONG, ["name_zh"]),
        (Action.WRONG, ["key", "controller"]),
    ]


# --- evidence -------------------------------------------------------------------------------------


def test_import__with_documents__commits_to_them_and_refuses_those_outside(
    sender: Sender, tmp_path: Path
) -> None:
    (tmp_path / "proof.txt").write_text("delivered")
    headings = (*HEADINGS, "evidence")
    rows: list[tuple[object, ...]] = [
        (*award(1), "proof.txt"),
        (*award(2), "../etc/passwd"),
        (*award(3), "missing.txt"),
        (*award(4), ""),
        (*award(5), "0x" + "ab" * 32),
    ]
    path = write(tmp_path / "a.csv", rows, headings)
    with planned(sender, path, evidence_needed=True) as plan:
        assert [each.reference for each in plan.lines(Action.WRONG)] == ["A-2", "A-3", "A-4"]
        write_down(sender.desk, plan)
        finish(sender, plan.import_id)
    assert balance(sender.ledger) == 2


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(max_size=40), st.integers(-(10**20), 10**20).map(str)))
def test_amount__of_any_text__is_the_whole_number_that_it_shows_or_a_problem(text: str) -> None:
    cells = Cells(Row(Path("x"), 2, {"amount": text.strip()}))
    found = cells.amount("amount")
    if found:
        assert cells.problems == []
        assert int(text.strip()) == found
        assert 1 <= found < 2**53
    else:
        (problem,) = cells.problems
        assert (problem.field, problem.value[:40]) == ("amount", text.strip()[:40])


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.datetimes().map(str), st.dates().map(str)))
def test_time__of_any_text__is_a_time_or_a_problem(text: str) -> None:
    cells = Cells(Row(Path("x"), 2, {"expires": text.strip()}))
    found = cells.time("expires")
    assert bool(found) != bool(cells.problems) or not text.strip()
