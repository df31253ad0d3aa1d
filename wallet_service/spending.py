"""How much was spent against the limits that hold for a wallet."""

from dataclasses import dataclass
from datetime import datetime

from wallet_service import ids
from wallet_service.decide.policy import Limit, start_of, window_of
from wallet_service.directory import load_nodes
from wallet_service.errors import wallet_not_found
from wallet_service.models.registry import MODELS, Models
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.periods import read_clock
from wallet_service.store.spending import load_spent


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent against a limit since its stretch began.

    Of a limit that is for single transactions, `starts_at` is None.
    """

    limit: Limit
    spent_minor: int
    starts_at: datetime | None


class Spending:
    """`models` are the wallet types that there are."""

    def __init__(self, pool: Pool, models: Models = MODELS) -> None:
        self._pool = pool
        self._models = models

    async def of_wallet(self, wallet_id: int) -> list[Spent]:
        """Read a wallet's limits, its own first, and what was spent. Raises `NotFound`."""
        async with (
            connection(self._pool) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            _, nodes = await load_nodes(conn, self._models, [wallet_id])
            if wallet_id not in nodes:
                raise wallet_not_found(ids.wallet_text(wallet_id)).as_error()
            return await _spent(conn, nodes[wallet_id].limits, await read_clock(conn))


async def _spent(conn: Connection, limits: tuple[Limit, ...], now: datetime) -> list[Spent]:
    windows = {limit: window_of(limit, now) for limit in limits if limit.period != "TRANSACTION"}
    spent = await load_spent(conn, list(windows.values())) if windows else {}
    return [
        Spent(limit, spent.get(windows[limit], 0), start_of(limit, windows[limit]))
        if limit in windows
        else Spent(limit, 0, None)
        for limit in limits
    ]
