"""A plain ledger in memory, written from docs/ledger.md and the protos: a second opinion."""

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate

from tests.asks import PLAIN, Ask, Balance, Purse, Reply, Terms, taken_back

STATES = {"UNFREEZE": "ACTIVE", "FREEZE": "FROZEN", "CLOSE": "CLOSED"}
ON_BOOKINGS = {"COMMIT", "CANCELLATION", "EXPIRATION"}
VOIDABLE = {"TOP_UP", "USAGE", "COMMIT", "TRANSFER"}
NOT_KEPT = {"ASSET_UNKNOWN", "REQUEST_ID_REUSED", "EXPIRE_TIME_PAST", "LOT_STALE"}
NOTHING = Ask("", "", "")
ALL = 10**18
Draws = list[tuple["Part", int]]


@dataclass
class Part:
    """A lot, or the plain part: what is left in it, and what of that is held."""

    name: tuple[str, int] = ("plain", 0)
    terms: Terms = PLAIN
    left: int = 0
    held: int = 0


@dataclass
class Pot:
    """What a wallet has of an asset, in parts: the plain one, then lots from the oldest on."""

    credit: int = 0
    parts: list[Part] = field(default_factory=lambda: [Part()])

    def balance(self) -> Balance:
        posted, held = sum(each.left for each in self.parts), sum(each.held for each in self.parts)
        return posted, held, posted - held + self.credit, self.credit

    def usable(self, now: datetime) -> list[Part]:
        usable = [each for each in self.parts if each.terms.expires_at > now]
        return sorted(usable, key=lambda each: (each.terms.priority, each.terms.expires_at))

    def spendable(self, now: datetime) -> int:
        return self.credit + sum(each.left - each.held for each in self.usable(now))

    def draw(self, minor: int, now: datetime, first: str = "") -> Draws:
        """Say what to take of which part; what they do not have, the plain one owes besides."""
        draws = []
        for part in sorted(self.usable(now), key=lambda each: each.name[0] != first):
            draws.append((part, min(minor, max(part.left - part.held, 0))))
            minor -= draws[-1][1]
        return [(part, taken + minor * (part is self.parts[0])) for part, taken in draws]

    def pay_debts(self, now: datetime) -> None:
        plain = self.parts[0]
        for part, minor in self.draw(max(plain.held - plain.left, 0), now):
            part.left -= minor
            plain.left += minor


@dataclass
class Transaction:
    """What was asked; what was drawn, and of a booking is still held; what was taken back."""

    ask: Ask = NOTHING
    draws: Draws = field(default_factory=list)
    voided: int = 0


def stretch(draws: Draws, start: int, minor: int) -> Draws:
    """Answer the draws that begin after `start` and come to `minor`."""
    ends = accumulate(drawn for _, drawn in draws)
    parts = [(part, end - drawn, end) for (part, drawn), end in zip(draws, ends, strict=True)]
    return [(part, max(min(b, start + minor) - max(a, start), 0)) for part, a, b in parts]


class Oracle:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.pots: defaultdict[Purse, Pot] = defaultdict(Pot)
        self.transactions: defaultdict[str, Transaction] = defaultdict(Transaction)
        self.outcomes: dict[str, tuple[Ask, Reply]] = {}
        self.closed_until = datetime.min.replace(tzinfo=UTC)

    def decide(self, group: Sequence[Ask], now: datetime) -> list[Reply]:
        """Answer the asks of a group; one that stands alone is a group too."""
        alone = len(group) == 1 and not group[0].validate_only
        trial, replies = self if alone else copy.deepcopy(self), list[Reply]()
        for ask in group:
            replies.append(trial.answer(ask, now))
            if replies[-1].reason:
                return [self._refuse(each, ask, replies[-1]) for each in group]
        vars(self).update({} if group[0].validate_only else vars(trial))
        return replies

    def answer(self, ask: Ask, now: datetime) -> Reply:
        """Answer as at first, or by the rules; keep what was accepted."""
        body, reply = self.outcomes.get(ask.request_id, (NOTHING, Reply()))
        if body == ask:
            return reply
        asked, ask = ask, self._void(ask) if ask.kind == "VOID" else ask
        if reason := next((reason for reason, broken in self._rules(ask, now) if broken), ""):
            return Reply(reason)
        self.outcomes[ask.request_id] = asked, self._carry_out(ask, now)
        return self.outcomes[ask.request_id][1]

    def _void(self, ask: Ask) -> Ask:
        """Say what it takes back of each leg: of what is left, all unless it says how much."""
        about = self.transactions[ask.of]
        if about.ask.wallet != ask.wallet:
            return ask
        minor = ask.minor or about.ask.minor - about.voided or about.ask.minor
        legs = taken_back(about.ask, about.voided, minor) if about.ask.kind in VOIDABLE else ()
        return replace(ask, asset=about.ask.asset, minor=minor, legs=legs)

    def _refuse(self, ask: Ask, fault: Ask, refusal: Reply) -> Reply:
        """Refuse an ask for one of its group, itself perhaps; keep that if its reason is kept."""
        refused = refusal if ask is fault else Reply("GROUP_REFUSED")
        if refusal.reason not in NOT_KEPT and not ask.validate_only:
            self.outcomes.setdefault(ask.request_id, (ask, refused))
        body, reply = self.outcomes.get(ask.request_id, (NOTHING, refused))
        return reply if body == ask else refused

    def _rules(self, ask: Ask, now: datetime) -> Iterator[tuple[str, bool]]:
        """Go by docs/errors.md, up to its limits: each reason, and whether its rule is broken."""
        about, own = self.transactions[ask.of], self.pots[ask.wallet, ask.asset]
        strange = (about.ask.wallet, about.ask.asset) != (ask.wallet, ask.asset)
        taken = {key: minor for key, minor in ask.purses().items() if minor > 0}
        states = [self.states.get(wallet) for wallet in ask.wallets()]
        frozen = "FROZEN" in [self.states.get(wallet) for wallet, _ in taken]
        yield "ASSET_UNKNOWN", not ask.assets() <= {"IDR", "ESIGN"}
        yield "REQUEST_ID_REUSED", ask.request_id in self.outcomes
        yield "EXPIRE_TIME_PAST", min(ask.expires_at, ask.terms.expires_at) <= now
        yield "WALLET_NOT_FOUND", None in states
        yield "PERIOD_CLOSED", min(ask.effective_at, now) < self.closed_until
        yield "WALLET_CLOSED", "CLOSED" in states
        yield "WALLET_FROZEN", frozen and ask.kind != "BREAKAGE"
        if ask.kind in ON_BOOKINGS:
            held = sum(minor for _, minor in about.draws)
            yield "BOOKING_NOT_FOUND", strange or about.ask.kind != "BOOKING"
            yield "BOOKING_CLOSED", not held
            yield "BOOKING_EXPIRED", ask.kind == "COMMIT" and about.ask.expires_at <= now
            yield "BOOKING_EXCEEDED", ask.minor > held
        if ask.kind == "VOID":
            yield "TRANSACTION_NOT_FOUND", strange
            yield "TRANSACTION_NOT_VOIDABLE", about.ask.kind not in VOIDABLE
            yield "VOID_EXCEEDED", about.voided + ask.minor > about.ask.minor
        if ask.kind == "BREAKAGE":
            lot = self._lot(ask)
            yield "LOT_STALE", lot.terms.expires_at > now or ask.minor != lot.left - lot.held
        short = any(minor > self.pots[key].spendable(now) for key, minor in taken.items())
        yield "INSUFFICIENT_FUNDS", short and ask.kind not in {"COMMIT", "BREAKAGE"}
        holdings = (pot.balance()[:2] for key, pot in self.pots.items() if key[0] == ask.wallet)
        yield "WALLET_NOT_EMPTY", ask.kind == "CLOSE" and any(map(any, holdings))
        used = own.credit - own.spendable(now)
        yield "CREDIT_LIMIT_IN_USE", ask.kind == "CREDIT" and used > ask.minor

    def _lot(self, ask: Ask) -> Part:
        parts = self.pots[ask.wallet, ask.asset].parts
        return next((each for each in parts if each.name == (ask.of, ask.number)), parts[0])

    def _carry_out(self, ask: Ask, now: datetime) -> Reply:
        if ask.kind in STATES:
            self.states[ask.wallet] = STATES[ask.kind]
        elif ask.kind == "CREDIT":
            self.pots[ask.wallet, ask.asset].credit = ask.minor
        else:
            self.transactions[ask.request_id] = Transaction(ask, self._take(ask, now))
            for key, minor in ask.purses().items():
                self._add(ask, self.pots[key], max(-minor, 0))
                self.pots[key].pay_debts(now)
            self.transactions[ask.of].voided += ask.minor * (ask.kind == "VOID")
        return Reply("", {key: self.pots[key].balance() for key in ask.purses()})

    def _take(self, ask: Ask, now: datetime) -> Draws:
        """Draw on what a booking holds, on the lot that breaks, or on what there is."""
        about, draws = self.transactions[ask.of], [(self._lot(ask), ask.minor)]
        if ask.kind in ON_BOOKINGS:
            draws = stretch(about.draws, 0, ask.minor or ALL)
            about.draws = stretch(about.draws, ask.minor or ALL, ALL)
        elif ask.kind != "BREAKAGE":
            taken = [(self.pots[key], max(minor, 0)) for key, minor in ask.purses().items()]
            draws = [draw for pot, minor in taken for draw in pot.draw(minor, now, ask.of)]
        for part, minor in draws:
            part.left -= minor if ask.legs else 0
            part.held += minor if ask.kind == "BOOKING" else -minor * (ask.kind in ON_BOOKINGS)
        return draws

    def _add(self, ask: Ask, pot: Pot, minor: int) -> None:
        """Give back what was drawn last; or add lots like those that were drawn on, or as told."""
        about, done = self.transactions[ask.of], self.transactions[ask.request_id]
        if ask.kind == "VOID":
            for part, back in stretch(about.draws[::-1], about.voided, minor):
                part.left += back
            return
        carried = [(part.terms, drawn) for part, drawn in done.draws if minor]
        for terms, added in carried if ask.kind == "TRANSFER" else [(ask.terms, minor)]:
            if terms == PLAIN:
                pot.parts[0].left += added
            elif added:
                number = sum(part.name[0] == ask.request_id for part in pot.parts)
                pot.parts.append(Part((ask.request_id, number), terms, added))
