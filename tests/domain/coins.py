"""Balances as heaps of single coins: slow, and so plain that one sees that it is right.

Every credit is a coin that says which award it is of. A coin lies in a heap, or with the entry that
took it, or nowhere. Who took too little leaves a debt in the heap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.domain.events import EntryKind, EntryPosted


@dataclass(eq=False)
class Coin:
    award: int


@dataclass(eq=False)
class Taker:
    entry: int
    org: int
    award: int  # the one to take from first; 0 for none
    coins: list[Coin] = field(default_factory=list)  # in the order of taking
    debt: int = 0


class Coins:
    def __init__(self) -> None:
        self.heaps: dict[int, list[Coin]] = {}
        self.takers: list[Taker] = []
        self.reversed: dict[int, Taker] = {}
        self.expired: set[int] = set()
        self.travelling: dict[int, tuple[int, list[Coin]]] = {}

    def heap(self, org: int) -> list[Coin]:
        return self.heaps.setdefault(org, [])

    def post(self, entry: EntryPosted) -> None:
        org = entry.org_id
        if entry.kind == EntryKind.AWARD:
            for _ in range(entry.amount):
                self.drop(org, Coin(entry.entry_id))
        elif entry.kind == EntryKind.REFUND:
            taker = next(taker for taker in self.takers if taker.entry == entry.refers_to)
            for _ in range(entry.amount):
                self.give_back(taker, lambda coin: True)
        elif entry.kind == EntryKind.CARRY_OVER and entry.refers_to == 0:
            self.travelling[entry.entry_id] = (org, self.heaps.pop(org, []))
        elif entry.kind == EntryKind.CARRY_OVER:
            left, coins = self.travelling.pop(entry.refers_to)
            for taker in self.takers:
                if taker.org == left and taker.debt:
                    taker.org = org
            self.pay_debts(org)
            for coin in sorted(coins, key=lambda coin: coin.award):
                self.drop(org, coin)
        else:
            taker = Taker(entry.entry_id, org, entry.refers_to, debt=-entry.amount)
            self.takers.append(taker)
            if entry.kind == EntryKind.REVERSAL:
                self.reversed[entry.refers_to] = taker
            if entry.kind == EntryKind.EXPIRY:
                self.expired.add(entry.refers_to)
            self.pay_debts(org)

    def drop(self, org: int, coin: Coin) -> None:
        """A coin comes into a heap; one of a reversed award goes to the reversal for another."""
        taker = self.reversed.get(coin.award)
        foreign = taker and taker.org == org and self.can_give(taker, coin.award)
        if taker and foreign:
            taker.coins.insert(0, coin)
            self.give_back(taker, lambda other: other.award != coin.award)
        else:
            self.heap(org).append(coin)
        self.pay_debts(org)

    def can_give(self, taker: Taker, award: int) -> bool:
        return bool(taker.debt) or any(coin.award != award for coin in taker.coins)

    def give_back(self, taker: Taker, wanted) -> None:  # type: ignore[no-untyped-def]
        if taker.debt:
            taker.debt -= 1
            return
        coin = [coin for coin in taker.coins if wanted(coin)][-1]
        taker.coins.remove(coin)
        self.drop(taker.org, coin)

    def pay_debts(self, org: int) -> None:
        for taker in sorted(self.takers, key=lambda taker: taker.entry):
            while taker.org == org and taker.debt and self.heap(org):
                coin = min(self.heap(org), key=lambda coin: (coin.award != taker.award, coin.award))
                self.heap(org).remove(coin)
                taker.coins.append(coin)
                taker.debt -= 1

    def unspent(self) -> dict[tuple[int, int], int]:
        """How many coins of each award lie in each heap."""
        found: dict[tuple[int, int], int] = {}
        for org, coins in self.heaps.items():
            for coin in coins:
                found[coin.award, org] = found.get((coin.award, org), 0) + 1
        return found

    def balance(self, org: int) -> int:
        return len(self.heap(org)) - sum(taker.debt for taker in self.takers if taker.org == org)
