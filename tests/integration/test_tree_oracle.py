"""Trees of wallets that spend, against an oracle: who pays and which limits hold is predicted."""

import asyncio
import copy
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from privy.wallet.v1 import ledger_pb2

from tests.acceptance.clients import new_id
from tests.tree_asks import PRODUCTS, Act, Limit, Node, Shares, Tree, random_tree
from tests.tree_calls import TOGETHER, TreeCalls, plant
from tests.tree_oracle import TreeOracle, Window, first_day
from tests.wallet_calls import WalletCalls

SMALL_TREES, SMALL_SIZE, STEPS = 5, 16, 50
LARGE_SIZE, CLIENTS, CALLS = 1000, 20, 100
HOT = 20
DEPTH = 6
LEAF_MINOR = 60
"""About what a leaf of a tree may spend in a month."""

ABOUT = {"COMMIT": {"BOOKING"}, "CANCELLATION": {"BOOKING"}, "VOID": {"USAGE", "COMMIT"}}
FRESH = ("USAGE", "USAGE", "USAGE", "BOOKING", "BOOKING")
KINDS = (
    *FRESH,
    *FRESH,
    "COMMIT",
    "COMMIT",
    "COMMIT",
    "CANCELLATION",
    "CANCELLATION",
    *["VOID"] * 4,
)
RECENT = 40
REASONS = {
    "SPENDING_LIMIT_EXCEEDED",
    "INSUFFICIENT_FUNDS",
    "BOOKING_CLOSED",
    "BOOKING_EXCEEDED",
    "VOID_EXCEEDED",
    "GROUP_REFUSED",
}


class Story:
    """Chooses what is asked next, often about what was accepted before."""

    def __init__(self, chance: random.Random, wallets: Sequence[str]) -> None:
        self.numbers: dict[str, str] = {}
        self.reasons = Counter[str]()
        self.chance = chance
        self._wallets = wallets
        self._accepted: list[Act] = []
        self._prefix, self._count = new_id()[:8], 0

    def name(self) -> str:
        self._count += 1
        return f"{self._prefix} {self._count}"

    def acts(self) -> list[Act]:
        return [self._act() for _ in range(self.chance.randint(1, 4))]

    def note(self, acts: Sequence[Act], results: Sequence[ledger_pb2.PlanResult]) -> None:
        for act, result in zip(acts, results, strict=True):
            if result.HasField("transaction"):
                self.numbers[act.name] = result.transaction.transaction_id.removeprefix("txn_")
                self._accepted.append(act)
            else:
                self.reasons[result.refusal.reason] += 1

    def _act(self) -> Act:
        kind = self.chance.choice(KINDS)
        found = [each for each in self._accepted if each.kind in ABOUT.get(kind, ())][-RECENT:]
        if not found:
            wallet, minor = self.chance.choice(self._wallets), self.chance.randint(1, 24)
            product = self.chance.choice(PRODUCTS)
            return Act(self.name(), self.chance.choice(FRESH), wallet, minor, product)
        about = self.chance.choice(found)
        some = self.chance.randint(1, about.minor + 2)
        minor = {"COMMIT": some, "VOID": self.chance.choice([0, some])}.get(kind, 0)
        return Act(self.name(), kind, about.wallet, minor, of=about.name)


def foresee(
    oracle: TreeOracle, acts: Sequence[Act], grouped: int
) -> tuple[TreeOracle, list[str | Shares]]:
    """Answer what becomes of acts of one call, the first few grouped; and the oracle after them."""
    now, trial = datetime.now(UTC), copy.deepcopy(oracle)
    answers = [trial.decide(each, now) for each in acts[:grouped]]
    first = next((i for i, each in enumerate(answers) if isinstance(each, str)), None)
    if first is not None:
        trial, others = oracle, "GROUP_REFUSED"
        answers = [each if i == first else others for i, each in enumerate(answers)]
    return trial, answers + [trial.decide(each, now) for each in acts[grouped:]]


async def wallet_agrees(caller: TreeCalls, oracle: TreeOracle, name: str) -> None:
    """A wallet has what is predicted, and so much was spent against each limit that holds for it.

    Its own limits are told first, then those of the wallets above it, nearest first.
    """
    assert await caller.balance(name) == (oracle.posted[name], oracle.held[name])
    spending = await caller.spending(name)
    limits = [(each, limit) for each in oracle.path(name) for limit in oracle.tree[each].limits]
    assert [(each.wallet, each.limit) for each in spending] == limits
    for each in spending:
        zone = oracle.tree[each.wallet].zone
        window = Window(each.wallet, each.limit, first_day(each.limit.period, each.since, zone))
        assert each.minor == oracle.spent[window], window


async def all_wallets_agree(callers: Sequence[TreeCalls], oracle: TreeOracle) -> None:
    turns = asyncio.Semaphore(TOGETHER)

    async def agree(caller: TreeCalls, name: str) -> None:
        async with turns:
            await wallet_agrees(caller, oracle, name)

    await asyncio.gather(*(agree(callers[i % 2], name) for i, name in enumerate(oracle.tree)))


async def open_tree(
    processes: Sequence[WalletCalls], tree: Tree, funds: Mapping[str, int]
) -> list[TreeCalls]:
    ids = await plant(processes[0], tree)
    callers = [TreeCalls(each, ids) for each in processes]
    await callers[0].fund(funds)
    return callers


async def tell_all(processes: Sequence[WalletCalls], chance: random.Random) -> Counter[str]:
    """Ask a small tree one call after the other; answer how often which reason was given."""
    tree = random_tree(chance, SMALL_SIZE, DEPTH, LEAF_MINOR)
    funds = {name: chance.randint(1, 50) for name in tree}
    callers = await open_tree(processes, tree, funds)
    oracle, story = TreeOracle(tree, funds), Story(chance, list(tree))
    for i in range(STEPS):
        caller, acts = callers[i % 2], story.acts()
        grouped = chance.choice([0, 0, 2])
        results = await caller.ask(acts, story.numbers, grouped)
        oracle, foreseen = foresee(oracle, acts, grouped)
        assert list(map(caller.shares_of, results)) == foreseen, acts
        for wallet in {each.wallet for each in acts}:
            await wallet_agrees(caller, oracle, wallet)
        story.note(acts, results)
    await all_wallets_agree(callers, oracle)
    return story.reasons


async def test_every_answer_of_small_trees_is_predicted(
    wallet_processes: Sequence[WalletCalls],
) -> None:
    """Who pays, or why not, each balance and each window, step by step; every refusal occurs."""
    reasons = Counter[str]()
    for seed in range(SMALL_TREES):
        reasons += await tell_all(wallet_processes, random.Random(seed))  # noqa: S311
    assert reasons.keys() == REASONS
    assert min(reasons.values()) > SMALL_TREES, reasons
    assert await wallet_processes[0].findings() == []


class Accepted(NamedTuple):
    """What was accepted; when it was written, and between which moments it was under way."""

    act: Act
    transaction_id: int
    shares: str | Shares
    at: datetime
    asked_s: float
    answered_s: float


async def live(caller: TreeCalls, story: Story) -> list[Accepted]:
    """Ask for one thing after the other; answer what was accepted."""
    accepted = []
    for _ in range(CALLS):
        acts, asked_s = story.acts(), time.monotonic()
        results = await caller.ask(acts, story.numbers)
        answered_s = time.monotonic()
        story.note(acts, results)
        accepted += [
            Accepted(
                act,
                int(story.numbers[act.name]),
                caller.shares_of(result),
                result.transaction.create_time.ToDatetime(UTC),
                asked_s,
                answered_s,
            )
            for act, result in zip(acts, results, strict=True)
            if result.HasField("transaction")
        ]
    return accepted


def replay(oracle: TreeOracle, accepted: Sequence[Accepted]) -> None:
    """Find all that was accepted so by the oracle, with the same payers, in the order of ids."""
    in_order = sorted(accepted, key=lambda each: each.transaction_id)
    for each in in_order:
        assert oracle.pay(each.act) == each.shares, each
    count_all(oracle, in_order)


def count_all(oracle: TreeOracle, accepted: Sequence[Accepted]) -> None:
    """Count in the order of ids what was spent: no limit is ever passed.

    A window is locked after the ids are given. So what was under way together may have counted in
    another order where no account is common: it waits until others gave back enough, but for
    nothing that was asked after its own answer.
    """
    waiting: list[Accepted] = []
    for each in accepted:
        late = [one for one in waiting if one.answered_s < each.asked_s]
        assert not late, [(one, oracle.passed(one.act, one.at)) for one in late]
        waiting.append(each)
        waiting.sort(key=lambda one: one.answered_s)
        for one in list(waiting):
            if not oracle.passed(one.act, one.at):
                oracle.count(one.act, one.at)
                waiting.remove(one)
    assert not waiting


async def test_no_limit_is_passed_and_no_funds_vanish_in_a_large_tree(
    wallet_processes: Sequence[WalletCalls],
) -> None:
    """A thousand nodes with limits at every level, spent from by twenty clients at once."""
    chance, (calls, _) = random.Random(new_id()), wallet_processes  # noqa: S311
    tree = random_tree(chance, LARGE_SIZE, DEPTH, LEAF_MINOR)
    funds = {name: chance.randint(1, 60) for name in tree}
    callers = await open_tree(wallet_processes, tree, funds)
    story = Story(chance, [*tree, *chance.sample(list(tree), HOT) * (LARGE_SIZE // HOT)])
    told = await asyncio.gather(*(live(callers[i % 2], story) for i in range(CLIENTS)))
    oracle, accepted = TreeOracle(tree, funds), [each for some in told for each in some]
    replay(oracle, accepted)
    await all_wallets_agree(callers, oracle)
    sums = await calls.trial_balance()
    assert sums["WALLET", "IDR"] == -oracle.posted.total()
    assert oracle.posted.total() == sum(funds.values()) + sums["REVENUE", "IDR"]
    assert sum(sums.values()) == 0
    assert await calls.findings() == []
    assert {"SPENDING_LIMIT_EXCEEDED", "INSUFFICIENT_FUNDS"} <= story.reasons.keys()


def merchant(source: str, price_minor: int, times: int) -> Tree:
    """A merchant who may spend so often in a day, with two channels."""
    limits = [Limit("DAY", price_minor * times)]
    channels = {f"channel {i}": Node("ENTERPRISE", "merchant", source) for i in range(2)}
    return {"merchant": Node("ENTERPRISE", "", limits=limits), **channels}


async def race(processes: Sequence[WalletCalls], source: str) -> None:
    """Ask fifty times at once for what twenty times may be had."""
    tree = merchant(source, price_minor=7, times=20)
    callers = await open_tree(processes, tree, dict.fromkeys(tree, 1000))
    some = [Act(new_id(), "USAGE", f"channel {i % 2}", 7) for i in range(50)]
    calls = [callers[i % 2].ask([act], {}) for i, act in enumerate(some)]
    results = [each for (each,) in await asyncio.gather(*calls)]
    refused = [each.refusal.reason for each in results if each.HasField("refusal")]
    assert refused == ["SPENDING_LIMIT_EXCEEDED"] * 30
    (spent,) = await callers[0].spending("merchant")
    assert spent.minor == 20 * 7


async def test_a_limit_holds_under_a_race(wallet_processes: Sequence[WalletCalls]) -> None:
    """Of fifty usages by two channels, each through a process of its own, just twenty are accepted.

    Whether the channels pay by themselves, so that they share nothing but the limit, or not.
    """
    for source in ["OWN", "NEAREST_ANCESTOR", "OWN_THEN_ANCESTORS"] * 5:
        await race(wallet_processes, source)
    assert await wallet_processes[0].findings() == []
