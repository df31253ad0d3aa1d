"""The core against an oracle: after every step of a random story both say the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from shared.idempotency import digest
from tests import asks, plans
from tests.asks import NEVER, PLAIN, Ask, Reply, Terms
from tests.oracle import Draws, Oracle
from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import (
    Account,
    Books,
    Entry,
    Facts,
    Posted,
    Verdict,
)
from wallet_service.decide.plan import (
    HOUSE,
    WALLET,
    AccountKey,
    AnyHold,
    BreakLot,
    CaptureHold,
    Leg,
    LotId,
    LotTerms,
    OpenHold,
    Plan,
    ReleaseHold,
    Spend,
    VoidOf,
)
from wallet_service.errors import Refusal

SECOND = timedelta(seconds=1)
HOUSE_TYPES = ("FUNDING", "REVENUE", "VENDOR_COST", "VENDOR_PAYABLE", "BREAKAGE")
ASSETS = ("IDR", "ESIGN")
KNOWN = ("1", "2", "3")
UNKNOWN = "9"

wallets = st.sampled_from([*KNOWN * 9, UNKNOWN])
pairs = st.permutations(KNOWN) | st.permutations([*KNOWN, UNKNOWN])
assets = st.sampled_from(["IDR"] * 18 + ["ESIGN"] * 6 + ["NONE"])
amounts = st.integers(1, 40)
costs = st.sampled_from([0, 7, 10])
priorities = st.sampled_from([10, 100, 200])
lifetimes = st.sampled_from([None, 1, 2, 3, 5, 9])
places = st.integers(0, 20)
parts = st.integers(1, 30) | st.sampled_from([-1, -1, 0])
"""See `asks.part_of`."""


def key_of(account: asks.Account) -> AccountKey:
    owner, account_type, asset = account
    return AccountKey(int(owner or HOUSE), account_type, asset)


def or_none(moment: datetime) -> datetime | None:
    return None if moment == NEVER else moment


def plan_of(ask: Ask, numbers: dict[str, int]) -> Plan:
    """Say in the core's words what is asked; `numbers` has the ids of what was posted."""
    own, about = AccountKey(int(ask.wallet), WALLET, ask.asset), numbers.get(ask.of, 0)
    holds: dict[str, AnyHold] = {
        "BOOKING": OpenHold(own, ask.minor, or_none(ask.expires_at)),
        "COMMIT": CaptureHold(about),
        "CANCELLATION": ReleaseHold(about),
        "EXPIRATION": ReleaseHold(about),
    }
    spends = ask.kind == "COMMIT"
    named = [(key_of(account), minor) for account, minor in ask.legs]
    legs = [Leg(key, minor) for key, minor in named if not (spends and key == own)]
    terms = LotTerms(ask.terms.kind, ask.terms.priority, or_none(ask.terms.expires_at))
    broken = BreakLot(own, LotId(about, ask.number), ask.minor)
    return replace(
        plans.plan(ask.kind, int(ask.wallet), *legs, hold=holds.get(ask.kind)),
        request_id=ask.request_id,
        request_digest=digest(ask.request_id.encode()),
        body_digest=digest(repr(ask).encode()),
        effective_at=or_none(ask.effective_at),
        validate_only=ask.validate_only,
        lot=None if ask.terms == PLAIN else terms,
        void_of=VoidOf(about, ask.minor) if ask.kind == "VOID" else None,
        spend=Spend(ask.asset, ask.minor, "") if spends else None,
        break_lot=broken if ask.kind == "BREAKAGE" else None,
    )


def reply_of(ask: Ask, verdict: Verdict) -> Reply:
    """Say a verdict in the oracle's words; what was posted has the legs that were asked."""
    if isinstance(verdict, Refusal):
        return Reply(verdict.reason)
    assert isinstance(verdict, Posted)
    entries = verdict.transaction.entries
    moved = {entry.key: entry.amount_minor for entry in entries if entry.amount_minor}
    assert ask.kind == "VOID" or moved == {key_of(each): minor for each, minor in ask.legs}
    own = [entry for entry in entries if entry.key.wallet_id != HOUSE]
    return Reply("", {(str(each.key.wallet_id), each.key.asset_code): after(each) for each in own})


def after(entry: Entry) -> asks.Balance:
    posted, held = -entry.balance_after_minor, entry.held_after_minor
    return posted, held, posted - held + entry.credit_limit_minor, entry.credit_limit_minor


def on_lots(draws: Draws) -> dict[tuple[str, int], int]:
    """Answer how much of what was drawn, or is held, is on which lot."""
    lots: Counter[tuple[str, int]] = Counter()
    for part, minor in draws:
        lots[part.name] += minor if part.terms != PLAIN else 0
    return dict(+lots)


def empty_books() -> Books:
    keys = [asks.purse(wallet, asset) for wallet in KNOWN for asset in ASSETS]
    keys += [asks.house(account_type, asset) for account_type in HOUSE_TYPES for asset in ASSETS]
    return Books(
        accounts={key_of(key): Account(number, 0, 0, 0) for number, key in enumerate(keys, 1)},
        facts=Facts({int(each): plans.own_node(int(each)) for each in KNOWN}),
        assets=frozenset(ASSETS),
        first_transaction_id=ids.first_transaction_id(ids.EPOCH + 1000 * SECOND, 0, after=0),
    )


class CoreAndOracle(RuleBasedStateMachine):
    """Tells both the same story, and compares what they answer and what they keep."""

    added: Bundle[Ask] = Bundle("added")
    spent: Bundle[Ask] = Bundle("spent")
    bookings: Bundle[Ask] = Bundle("bookings")

    def __init__(self) -> None:
        super().__init__()
        self.books, self.oracle = empty_books(), Oracle()
        self.oracle.states = dict.fromkeys(KNOWN, "ACTIVE")
        self.numbers: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.told: list[Ask] = []
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"ask {self.count}"

    def after(self, seconds: int | None) -> datetime:
        return NEVER if seconds is None else self.books.now + seconds * SECOND

    def set_clock(self, now: datetime) -> None:
        last = self.books.first_transaction_id
        self.books.first_transaction_id = ids.first_transaction_id(now, 0, last)

    def put(self, *group: Ask) -> MultipleResults[Ask]:
        """Have both decide a group, and compare the answers; give back what was accepted."""
        expected = self.oracle.decide(group, self.books.now)
        planned = [plan_of(ask, self.numbers) for ask in group]
        (verdicts,), writes = decide([planned], self.books)
        for posted in writes.posted:
            plans.make_known(self.books, posted)
            self.numbers[posted.plan.request_id] = posted.transaction.transaction_id
            self.names[posted.transaction.transaction_id] = posted.plan.request_id
        assert list(map(reply_of, group, verdicts)) == expected
        self.set_clock(self.books.now)
        self.told += group
        return multiple(*(ask for ask in group if ask.request_id in self.numbers))

    @initialize(
        target=added, lots=st.lists(st.tuples(priorities, lifetimes), min_size=2, max_size=4)
    )
    def endow(self, lots: Sequence[tuple[int, int | None]]) -> MultipleResults[Ask]:
        """Begin with wallets that have something in two parts, and may owe a little."""
        first = []
        for wallet in KNOWN[:2]:
            self.set_credit_limit(wallet, "IDR", 20)
            first.append(asks.top_up(self.name(), wallet, "IDR", 15))
            for priority, left in lots:
                terms = Terms("BONUS", priority, self.after(left))
                first.append(asks.top_up(self.name(), wallet, "IDR", 20, terms))
        return self.put(*first)

    @rule(target=added, wallet=wallets, asset=assets, minor=amounts)
    def top_up(self, wallet: str, asset: str, minor: int) -> MultipleResults[Ask]:
        return self.put(asks.top_up(self.name(), wallet, asset, minor))

    @rule(target=added, wallet=wallets, asset=assets, minor=amounts, lot=priorities, left=lifetimes)
    def add_lot(
        self, wallet: str, asset: str, minor: int, lot: int, left: int | None
    ) -> MultipleResults[Ask]:
        terms = Terms("BONUS", lot, self.after(left))
        return self.put(asks.top_up(self.name(), wallet, asset, minor, terms))

    @rule(target=spent, wallet=wallets, asset=assets, minor=amounts, cost=costs)
    def use(self, wallet: str, asset: str, minor: int, cost: int) -> MultipleResults[Ask]:
        return self.put(asks.usage(self.name(), wallet, asset, minor, cost))

    @rule(target=spent, pair=pairs, asset=assets, minor=amounts)
    def transfer(self, pair: Sequence[str], asset: str, minor: int) -> MultipleResults[Ask]:
        return self.put(asks.transfer(self.name(), pair[0], pair[1], asset, minor))

    @rule(target=bookings, wallet=wallets, asset=assets, minor=amounts, left=lifetimes)
    def book(self, wallet: str, asset: str, minor: int, left: int | None) -> MultipleResults[Ask]:
        return self.put(asks.booking(self.name(), wallet, asset, minor, self.after(left)))

    @rule(target=spent, booked=bookings, part=parts, cost=costs)
    def commit(self, booked: Ask, part: int, cost: int) -> MultipleResults[Ask]:
        held = sum(minor for _, minor in self.oracle.transactions[booked.request_id].draws)
        return self.put(asks.commit(self.name(), booked, asks.part_of(held, part), cost))

    @rule(
        target=spent,
        wallet=wallets,
        minor=amounts,
        part=parts,
        late=st.sampled_from([0, 0, 0, 1, 2]),
    )
    def book_and_commit(
        self, wallet: str, minor: int, part: int, late: int
    ) -> MultipleResults[Ask]:
        """Commit right after booking, or when that expires in a second or has expired."""
        booked = asks.booking(self.name(), wallet, "IDR", minor, self.after(1))
        self.put(booked)
        self.set_clock(self.books.now + late * SECOND)
        return self.put(asks.commit(self.name(), booked, asks.part_of(minor, part), cost=7))

    @rule(target=added, booked=bookings)
    def cancel(self, booked: Ask) -> MultipleResults[Ask]:
        return self.put(asks.release(self.name(), booked))

    @rule(target=added, original=spent | added | bookings, part=parts, whole=st.booleans())
    def void(self, original: Ask, part: int, whole: bool) -> MultipleResults[Ask]:
        voided = self.oracle.transactions[original.request_id].voided
        minor = asks.part_of(original.minor - voided, part)
        return self.put(asks.void(self.name(), original, 0 if whole else minor))

    @rule(target=spent, wallet=wallets, minor=st.integers(20, 60), some=st.lists(parts, max_size=3))
    def use_and_take_back(
        self, wallet: str, minor: int, some: Sequence[int]
    ) -> MultipleResults[Ask]:
        """Spend so much that it is drawn on several lots, and take it back in parts."""
        spending = asks.usage(self.name(), wallet, "IDR", minor, cost=7)
        accepted = self.put(spending)
        for part in some:
            self.void(spending, part, whole=False)
        return accepted

    @rule(target=spent, other=spent | added | bookings, wallet=wallets, minor=amounts)
    def meddle(self, other: Ask, wallet: str, minor: int) -> MultipleResults[Ask]:
        """Take of a wallet what, nearly always, is not there to be taken so."""
        ask = asks.usage(self.name(), wallet, other.asset, minor)
        kind = ("COMMIT", "VOID", "BREAKAGE")[minor % 3]
        legs = () if kind == "VOID" else ask.legs
        return self.put(replace(ask, kind=kind, of=other.request_id, legs=legs))

    @precondition(lambda self: self.told)
    @rule(place=places)
    def repeat(self, place: int) -> None:
        self.put(self.earlier(place))

    @precondition(lambda self: self.told)
    @rule(place=places)
    def reuse(self, place: int) -> None:
        """Ask something else under a request id that came before."""
        self.put(replace(self.earlier(place), effective_at=self.books.now))

    @precondition(lambda self: self.told)
    @rule(target=spent, place=places, ago=st.integers(0, 2), validate_only=st.booleans())
    def ask_anew(self, place: int, ago: int, validate_only: bool) -> MultipleResults[Ask]:
        """Ask an earlier thing again, dated back, and perhaps to be validated only."""
        moment = self.books.now - ago * SECOND
        ask = replace(self.earlier(place), request_id=self.name(), validate_only=validate_only)
        return self.put(replace(ask, effective_at=moment))

    @precondition(lambda self: self.told)
    @rule(target=spent, members=st.lists(st.tuples(places, st.booleans()), min_size=2, max_size=3))
    def group(self, members: list[tuple[int, bool]]) -> MultipleResults[Ask]:
        """Ask some earlier things together, each under its own id or under a new one."""
        group = [replace(self.earlier(place), validate_only=False) for place, _ in members]
        names = [
            self.name() if anew else each.request_id
            for each, (_, anew) in zip(group, members, strict=True)
        ]
        return self.put(
            *(replace(ask, request_id=name) for ask, name in zip(group, names, strict=True))
        )

    def earlier(self, place: int) -> Ask:
        return self.told[-1 - place % len(self.told)]

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds: int) -> None:
        self.set_clock(self.books.now + seconds * SECOND)

    @rule()
    def wait_for_an_expiry(self) -> None:
        """Come to the very moment at which the next booking or lot expires."""
        lots = [part.terms.expires_at for pot in self.oracle.pots.values() for part in pot.parts]
        bookings = [each.ask.expires_at for each in self.oracle.transactions.values()]
        coming = [each for each in lots + bookings if self.books.now < each < NEVER]
        if coming:
            self.set_clock(min(coming))

    @rule()
    def sweep(self) -> None:
        """End the bookings and break the lots whose time has come."""
        for each in [*self.oracle.transactions.values()]:
            if each.ask.expires_at <= self.books.now and any(minor for _, minor in each.draws):
                self.put(asks.release(self.name(), each.ask, "EXPIRATION"))
        for (wallet, asset), pot in [*self.oracle.pots.items()]:
            for part in pot.parts:
                free = part.left - part.held
                if free > 0 and part.terms.expires_at <= self.books.now:
                    self.put(asks.breakage(self.name(), wallet, asset, free, part.name))

    @rule(wallet=wallets, kind=st.sampled_from(["FREEZE", "UNFREEZE", "UNFREEZE", "CLOSE"]))
    def change_state(self, wallet: str, kind: str) -> None:
        """Change a wallet, which is not for the core to decide, where the oracle allows it."""
        self.oracle.decide([Ask(self.name(), kind, wallet)], self.books.now)
        if wallet in KNOWN:
            plans.put_node(self.books, plans.own_node(int(wallet), self.oracle.states[wallet]))

    @rule(wallet=wallets, asset=assets, minor=st.integers(0, 80))
    def set_credit_limit(self, wallet: str, asset: str, minor: int) -> None:
        ask = Ask(self.name(), "CREDIT", wallet, asset, minor=minor)
        (reply,) = self.oracle.decide([ask], self.books.now)
        if not reply.reason:
            self.books.accounts[key_of(asks.purse(wallet, asset))].credit_limit_minor = minor

    @rule(ago=st.integers(0, 2))
    def close_period(self, ago: int) -> None:
        self.oracle.closed_until = self.books.closed_until = self.books.now - ago * SECOND

    @invariant()
    def balances_and_lots_agree(self) -> None:
        """Each account is the sum of what was posted on it; each wallet has the same lots."""
        sums: Counter[AccountKey] = Counter()
        for each in self.oracle.transactions.values():
            sums.update({key_of(account): minor for account, minor in each.ask.legs})
        assert sum(sums.values()) == 0
        for key, account in self.books.accounts.items():
            assert account.balance_minor == sums[key]
            if key.wallet_id != HOUSE:
                pot = self.oracle.pots[str(key.wallet_id), key.asset_code]
                assert account.held_minor == pot.balance()[1]
                lots = {each.name: (each.left, each.held) for each in pot.parts[1:] if each.left}
                assert lots == {
                    self.lot_name(lot_id): (lot.remaining_minor, lot.held_minor)
                    for lot_id, lot in account.lots.items()
                    if lot.remaining_minor
                }

    @invariant()
    def holds_and_voids_agree(self) -> None:
        """The same is left of each booking, on the same lots, and of each transaction to void."""
        for name, number in self.numbers.items():
            done = self.oracle.transactions[name]
            assert self.books.voided.get(number, 0) == done.voided
            if hold := self.books.holds.get(number):
                (part,) = hold.parts
                assert part.remaining_minor == sum(minor for _, minor in done.draws)
                lots = {self.lot_name(lot): minor for lot, minor in part.lots.items() if minor}
                assert lots == on_lots(done.draws)

    def lot_name(self, lot_id: LotId) -> tuple[str, int]:
        return self.names[lot_id.transaction_id], lot_id.lot_index


TestCoreAndOracle = CoreAndOracle.TestCase
TestCoreAndOracle.settings = settings(
    deadline=None, max_examples=250, stateful_step_count=50, print_blob=True
)
