"""Two Wallet processes against an oracle: what they answer to many clients at once is predicted.

Each client has wallets of its own, so that the order of what concerns them is known, while all
share the processes, their batches and chains, the house's accounts and the database.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from privy.wallet.v1 import ledger_pb2

from tests import asks
from tests.acceptance.clients import new_id
from tests.asks import NEVER, PLAIN, Ask, Purse, Terms
from tests.oracle import Oracle, Part
from tests.wallet_calls import TIMEOUT_S, WalletCalls, plan_of, reply_of

CLIENTS = 6
UNKNOWN = "wal_999999"
FRESH = ("TOP_UP", "LOT", "LOT", "USAGE", "USAGE", "TRANSFER", "TRANSFER", "BOOKING", "BOOKING")
ABOUT_OTHERS = ("COMMIT", "COMMIT", "CANCELLATION", "VOID", "VOID", "VOID")
AGAIN = ("REPEAT", "REUSE", "TRIAL")
CHANGES = ("FREEZE", "UNFREEZE", "UNFREEZE", "CLOSE", "CREDIT", "CREDIT")
PAST, LATE, LATER = (datetime(year, 1, 1, tzinfo=UTC) for year in (2025, 2080, 2090))
SOON = timedelta(seconds=1)


class Step(NamedTuple):
    """What a client does next; `place` says which of its earlier asks it is about."""

    kind: str
    wallet: int
    asset: str
    minor: int
    part: int
    place: int
    priority: int
    expires_at: datetime


def step(chance: random.Random, kinds: Sequence[str]) -> Step:
    return Step(
        kind=chance.choice(kinds),
        wallet=chance.choice([0, 1] * 10 + [2]),
        asset=chance.choice(["IDR"] * 14 + ["ESIGN"] * 5 + ["NONE"]),
        minor=chance.randint(1, 40),
        part=chance.choice([-1, 0, 0, *range(1, 9)]),
        place=chance.randint(0, 9),
        priority=chance.choice([10, 100, 200]),
        expires_at=chance.choice([NEVER, LATE, LATER] * 5 + [PAST]),
    )


class Tale:
    """What all clients told up to now, and what the oracle makes of it."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.numbers: dict[str, str] = {}
        self._answers: dict[str, ledger_pb2.Transaction] = {}
        self.lots: defaultdict[Purse, Counter[str]] = defaultdict(Counter)
        self._prefix, self._count = new_id()[:8], 0

    def name(self) -> str:
        self._count += 1
        return f"{self._prefix} {self._count}"

    def decide(self, group: Sequence[Ask], results: Sequence[ledger_pb2.PlanResult]) -> None:
        """Have the oracle decide a group when it was decided, and compare the answers."""
        times = [each.transaction.create_time for each in results if each.HasField("transaction")]
        now = times[-1].ToDatetime(UTC) if times else datetime.now(UTC)
        expected = self.oracle.decide(group, now)
        assert list(map(reply_of, group, results)) == expected
        for ask, result in zip(group, results, strict=True):
            self._note(ask, result.transaction)

    def _note(self, ask: Ask, posted: ledger_pb2.Transaction) -> None:
        """Note what was posted, and what its entries say of lots; the first answer stays."""
        if not posted.transaction_id:
            return
        if first := self._answers.get(ask.request_id):
            assert posted == first
            return
        self._answers[ask.request_id] = posted
        self.numbers[ask.request_id] = posted.transaction_id.removeprefix("txn_")
        for entry in posted.entries:
            lots = self.lots[entry.wallet_id, entry.amount.asset_code]
            for each in entry.lot_entries:
                lots[each.lot_id] -= each.amount_minor
                lots[f"{each.lot_id} held"] += each.held_change_minor

    def lots_of(self, purse: Purse) -> dict[str, int]:
        """Answer what the oracle knows of lots as their entries tell it."""
        lots: Counter[str] = Counter()
        for part in self.oracle.pots[purse].parts[1:]:
            lots[self.lot_id(part)] += part.left
            lots[f"{self.lot_id(part)} held"] += part.held
        return lots

    def lot_id(self, part: Part) -> str:
        name, number = part.name
        return f"lot_{self.numbers[name]}_{number}"


class Client:
    """Asks what a story says, and compares each answer with the oracle's."""

    def __init__(self, calls: WalletCalls, tale: Tale, wallets: Sequence[str]) -> None:
        self.calls = calls
        self.wallets = wallets
        self._tale = tale
        self._told: list[Ask] = []
        self._changes: list[Ask] = []

    @classmethod
    async def begin(cls, calls: WalletCalls, tale: Tale) -> "Client":
        """Create a wallet that has something, one that owes something, and one for what expires."""
        client = cls(calls, tale, [await calls.create_wallet() for _ in range(3)])
        tale.oracle.states |= dict.fromkeys(client.wallets, "ACTIVE")
        rich, poor, _ = client.wallets
        terms = Terms("BONUS", 10, LATE)
        await client.change(Ask(tale.name(), "CREDIT", poor, minor=40))
        await client.ask(
            asks.top_up(tale.name(), rich, "IDR", 60),
            asks.top_up(tale.name(), rich, "IDR", 30, terms),
            asks.top_up(tale.name(), rich, "IDR", 30, replace(terms, priority=200)),
            asks.usage(tale.name(), poor, "IDR", 30),
        )
        return client

    async def live(self, chance: random.Random, calls: int = 15) -> None:
        """Change a wallet now and then, and post in between."""
        for _ in range(calls):
            if chance.random() < 0.2:
                await self.change(self._change_of(step(chance, CHANGES)))
            else:
                steps = [
                    step(chance, FRESH + ABOUT_OTHERS + AGAIN) for _ in range(chance.randint(1, 4))
                ]
                await self.ask(*map(self._ask_of, steps), grouped=chance.random() < 0.4)

    async def ask(self, *some: Ask, grouped: bool = False) -> None:
        """Post plans in one call, as one group or each for itself."""
        group_id = self._tale.name() if grouped else ""
        if grouped:
            some = tuple(replace(each, validate_only=False) for each in some)
        results = await self.calls.post(
            [plan_of(each, self._tale.numbers, group_id) for each in some]
        )
        if grouped:
            self._tale.decide(some, results)
        else:
            for ask, result in zip(some, results, strict=True):
                self._tale.decide([ask], [result])
        self._told += some
        for purse in {purse for each in some for purse in each.purses()}:
            assert self._tale.lots[purse] == self._tale.lots_of(purse)

    async def change(self, ask: Ask) -> None:
        reason = await self.calls.change(ask)
        (reply,) = self._tale.oracle.decide([ask], datetime.now(UTC))
        assert reason == reply.reason
        self._changes.append(ask)

    def _change_of(self, step: Step) -> Ask:
        """Answer a change of a wallet, now and then the one before again."""
        if step.place < 3:
            return self._changes[-1]
        wallet, asset = self._wallet(step.wallet), step.asset if step.kind == "CREDIT" else "IDR"
        return Ask(self._tale.name(), step.kind, wallet, asset, minor=step.minor)

    def _wallet(self, place: int) -> str:
        return (*self.wallets[:2], UNKNOWN)[place]

    def _ask_of(self, step: Step) -> Ask:
        if step.kind in FRESH:
            return self._fresh(step)
        return self._again(step) if step.kind in AGAIN else self._about_another(step)

    def _fresh(self, step: Step) -> Ask:
        name, wallet = self._tale.name(), self._wallet(step.wallet)
        moved = name, wallet, step.asset, step.minor
        match step.kind:
            case "LOT":
                return asks.top_up(*moved, Terms("BONUS", step.priority, step.expires_at))
            case "USAGE":
                return asks.usage(*moved, cost=step.place)
            case "TRANSFER":
                other = self._wallet((1, 0, 0)[step.wallet])
                return asks.transfer(name, wallet, other, step.asset, step.minor)
            case "BOOKING":
                return asks.booking(*moved, step.expires_at)
        return asks.top_up(*moved)

    def _about_another(self, step: Step) -> Ask:
        kinds = {"VOID": ("TOP_UP", "USAGE", "TRANSFER", "COMMIT", "VOID")}
        other = self._earlier(step, kinds.get(step.kind, ("BOOKING",)))
        known = self._tale.oracle.transactions[other.request_id]
        if step.kind == "CANCELLATION":
            return asks.release(self._tale.name(), other)
        if step.kind == "COMMIT":
            held = sum(minor for _, minor in known.draws)
            part = asks.part_of(held, step.part)
            return asks.commit(self._tale.name(), other, part, cost=step.place)
        part = asks.part_of(other.minor - known.voided, step.part)
        return asks.void(self._tale.name(), other, part if step.part % 5 else 0)

    def _again(self, step: Step) -> Ask:
        """Say the same again, something else under the same id, or the same on trial."""
        earlier = self._told[-1 - step.place % len(self._told)]
        if step.kind == "REUSE":
            return replace(earlier, effective_at=PAST)
        if step.kind == "TRIAL":
            return replace(earlier, request_id=self._tale.name(), validate_only=True)
        return earlier

    def _earlier(self, step: Step, kinds: Sequence[str]) -> Ask:
        """Answer something of these kinds that was posted, or else a stray."""
        posted = [each for each in self._told if each.request_id in self._tale.numbers]
        found = [each for each in posted if each.kind in kinds]
        stray = asks.usage(self._tale.name(), self._wallet(step.wallet), step.asset, step.minor)
        return found[-1 - step.place % len(found)] if found else stray


async def contend(tale: Tale, processes: Sequence[WalletCalls], wallet: str) -> None:
    """Spend from one wallet by many at once: in the order of their ids all is as predicted.

    All ask for as much, so what is refused could be decided last.
    """
    some = [asks.usage(tale.name(), wallet, "IDR", 7) for _ in range(20)]
    calls = [
        processes[i % 2].post([plan_of(ask, tale.numbers)]) for i, ask in enumerate([*some, *some])
    ]
    answers = [results[0] for results in await asyncio.gather(*calls)]
    assert answers[:20] == answers[20:]
    decided = sorted(
        zip(some, answers[:20], strict=True),
        key=lambda each: (each[1].HasField("refusal"), each[1].transaction.transaction_id),
    )
    for ask, result in decided:
        tale.decide([ask], [result])


async def exchange(tale: Tale, one: Client, other: Client) -> None:
    """Transfer from one client's wallet to the other's, and take a part of it back."""
    bridge = Client(one.calls, tale, ())
    sent = asks.transfer(tale.name(), one.wallets[0], other.wallets[0], "IDR", 25)
    await bridge.ask(sent)
    await bridge.ask(asks.void(tale.name(), sent, 10))


async def fade(tale: Tale, client: Client) -> None:
    """Add a lot and book on it, both to expire soon; wait until they were ended, and predict it."""
    wallet, soon = client.wallets[2], datetime.now(UTC) + SOON
    await client.ask(asks.top_up(tale.name(), wallet, "IDR", 30, Terms("BONUS", 10, soon)))
    booked = asks.booking(tale.name(), wallet, "IDR", 20, soon)
    await client.ask(booked)
    async with asyncio.timeout(TIMEOUT_S):
        while any((await client.calls.balances(wallet)).get("IDR", ())[:2]):  # noqa: ASYNC110 (the Wallet sweeps)
            await asyncio.sleep(0.05)
    now = datetime.now(UTC)
    tale.oracle.decide([asks.release(tale.name(), booked, "EXPIRATION")], now)
    for lot in tale.oracle.pots[wallet, "IDR"].parts[1:]:
        tale.oracle.decide([asks.breakage(tale.name(), wallet, "IDR", lot.left, lot.name)], now)


async def holdings_agree(tale: Tale, calls: WalletCalls) -> None:
    """Each wallet has the balances that are predicted, and the lots, in the order of drawing."""
    for wallet in tale.oracle.states:
        pots = {asset: pot for (owner, asset), pot in tale.oracle.pots.items() if owner == wallet}
        expected = {asset: pot.balance() for asset, pot in pots.items() if any(pot.balance())}
        balances = await calls.balances(wallet)
        assert {asset: each for asset, each in balances.items() if any(each)} == expected
        for asset in balances:
            parts = pots[asset].usable(datetime.now(UTC))
            lots = await calls.lots(wallet, asset)
            assert [(each.lot_id, each.remaining_minor, each.held_minor) for each in lots] == [
                (tale.lot_id(each), each.left, each.held)
                for each in parts
                if each.terms != PLAIN and each.left
            ]


async def transactions_agree(tale: Tale, calls: WalletCalls) -> None:
    """As much is left of each booking, and taken back of each transaction, as is predicted."""
    for name, number in tale.numbers.items():
        done = tale.oracle.transactions[name]
        found = await calls.transaction(f"txn_{number}")
        assert found.voided_minor == done.voided
        if done.ask.kind == "BOOKING":
            assert found.held_remaining.minor_units == sum(minor for _, minor in done.draws)


def totals(tale: Tale) -> Counter[tuple[str, str]]:
    """Answer what the accounts of each type come to, by type and asset."""
    sums: Counter[tuple[str, str]] = Counter()
    for each in tale.oracle.transactions.values():
        for (_, account_type, asset), minor in each.ask.legs:
            sums[account_type, asset] += minor
    return sums


@settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1 << 32))
async def test_every_answer_is_predicted(
    seed: int, wallet_processes: Sequence[WalletCalls]
) -> None:
    """Many clients at once, through two processes: all answers, balances and sums are foreseen."""
    calls, tale = wallet_processes[0], Tale()
    sums = await calls.trial_balance()
    clients = [await Client.begin(wallet_processes[i % 2], tale) for i in range(CLIENTS)]
    chances = [random.Random(seed + i) for i in range(CLIENTS)]  # noqa: S311 (no secret)
    await asyncio.gather(*map(Client.live, clients, chances))
    await asyncio.gather(*map(exchange, repeat(tale), clients[::2], clients[1::2]))
    await contend(tale, wallet_processes, clients[0].wallets[0])
    await asyncio.gather(*map(Client.live, clients, chances))
    await asyncio.gather(*map(fade, repeat(tale), clients))
    await holdings_agree(tale, calls)
    await transactions_agree(tale, calls)
    sums.update(totals(tale))
    assert await calls.trial_balance() == sums
    assert sum(sums.values()) == 0
    assert await calls.findings() == []
