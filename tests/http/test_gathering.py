"""Questions that come in at the same time are asked together, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from api.gathering import Gathering, NotSoon
from ledger.store.direct import NotDirect
from tests.support.loops import run_apart


def test_gathering__of_questions_that_wait__asks_each_once_and_tells_all() -> None:
    asked: list[list[int]] = []

    async def ask() -> list[int]:
        held = asyncio.Event()

        async def answer(questions: Sequence[int]) -> Mapping[int, int]:
            asked.append(list(questions))
            await held.wait()
            return {each: each * 10 for each in questions}

        gathering = Gathering(answer)
        first = asyncio.ensure_future(gathering.ask(1))
        while not asked:
            await asyncio.sleep(0)
        others = [asyncio.ensure_future(gathering.ask(each)) for each in (2, 3, 2)]
        await asyncio.sleep(0)
        held.set()
        return [await each for each in (first, *others)]

    assert run_apart(ask()) == [10, 20, 30, 20]
    assert asked == [[1], [2, 3]]


def test_gathering__of_more_than_are_asked_at_once__answers_all() -> None:
    asked: list[int] = []

    async def answer(questions: Sequence[int]) -> Mapping[int, int]:
        asked.append(len(questions))
        await asyncio.sleep(0)
        return {each: -each for each in questions}

    async def ask() -> list[int]:
        gathering = Gathering(answer)
        return await asyncio.gather(*(gathering.ask(each) for each in range(150)))

    assert run_apart(ask()) == [-each for each in range(150)]
    assert asked == [64, 64, 22]


def test_gathering__whose_answer_fails__tells_who_asked_and_goes_on() -> None:
    async def answer(questions: Sequence[int]) -> Mapping[int, int]:
        if questions[0] == 0:
            raise NotDirect
        return dict.fromkeys(questions, 7)

    async def ask() -> int:
        gathering = Gathering(answer)
        with pytest.raises(NotDirect):
            await gathering.ask(0)
        return await gathering.ask(5)

    assert run_apart(ask()) == 7


def test_gathering__that_is_held_up__lets_nobody_wait() -> None:
    asked: list[int] = []

    async def ask() -> int:
        held = asyncio.Event()

        async def answer(questions: Sequence[int]) -> Mapping[int, int]:
            asked.extend(questions)
            await held.wait()
            return dict.fromkeys(questions, 7)

        gathering = Gathering(answer, patience=0.01)
        for question in (1, 2, 3):
            with pytest.raises(NotSoon):
                await gathering.ask(question)
        held.set()
        while True:
            try:
                return await gathering.ask(4)
            except NotSoon:
                await asyncio.sleep(0.005)

    assert run_apart(ask()) == 7
    assert set(asked) <= {1, 4}  # nobody waits for the others any more


def test_gathering__whose_askers_go__answers_the_others() -> None:
    async def ask() -> tuple[int, bool]:
        held = asyncio.Event()

        async def answer(questions: Sequence[int]) -> Mapping[int, int]:
            await held.wait()
            return dict.fromkeys(questions, 7)

        gathering = Gathering(answer)
        goes, stays = (asyncio.ensure_future(gathering.ask(1)) for _ in range(2))
        await asyncio.sleep(0)
        goes.cancel()
        await asyncio.sleep(0)
        held.set()
        return await stays, goes.cancelled()

    assert run_apart(ask()) == (7, True)


def test_gathering__that_is_held_up__does_not_hold_up_the_end() -> None:
    async def end() -> None:
        async def answer(_questions: Sequence[int]) -> Mapping[int, int]:
            await asyncio.Event().wait()
            return {}

        gathering = Gathering(answer)
        waiting = asyncio.ensure_future(gathering.ask(1))
        for _ in range(3):
            await asyncio.sleep(0)
        gathering.close()
        with pytest.raises(NotSoon):
            await waiting
        with pytest.raises(NotSoon):
            await gathering.ask(2)

    run_apart(asyncio.wait_for(end(), 10))
