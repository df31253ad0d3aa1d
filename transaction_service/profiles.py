"""What wallets are: read once, and kept while they stay as they are."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from shared.coalesce import Coalescer
from transaction_service.domain import Profile

MAX_KEPT = 100_000

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, Profile]]]


class Profiles:
    """Profiles of wallets, at most `MAX_KEPT`: those used last.

    A profile may be out of date: the ledger, which is told its version, refuses what was planned
    by it. Then it is to be forgotten, and read again.
    """

    def __init__(self, read: Read) -> None:
        """`read` answers the profiles of those that exist, by id; it is asked for 400 at most."""
        self._read = read
        self._kept: OrderedDict[str, Profile] = OrderedDict()
        self._coalescer: Coalescer[str, Profile] = Coalescer(self._read_batch)

    async def of(self, wallet_id: str) -> Profile:
        """Answer a wallet's profile; that of a wallet that does not exist has no path.

        Raises `ResourceExhausted` where too many wait, and what reading raises.
        """
        kept = self._kept.get(wallet_id)
        if kept is None:
            return await self.read(wallet_id)
        self._kept.move_to_end(wallet_id)
        return kept

    async def read(self, wallet_id: str) -> Profile:
        """Answer as `of` does, read anew."""
        return await self._coalescer.submit(wallet_id)

    def forget(self, stale: Profile) -> None:
        """Have a wallet's profile read again, unless it was since."""
        if self._kept.get(stale.wallet_id) == stale:
            del self._kept[stale.wallet_id]

    async def _read_batch(self, wallet_ids: Sequence[str]) -> Sequence[Profile]:
        found = await self._read(list(dict.fromkeys(wallet_ids)))
        self._keep(found)
        return [found.get(each) or Profile(each, "", 0, ()) for each in wallet_ids]

    def _keep(self, found: Mapping[str, Profile]) -> None:
        self._kept.update(found)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
