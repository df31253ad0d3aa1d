"""What postings go by of wallets, kept in memory as of one epoch."""

from collections.abc import Collection, Mapping

from wallet_service.decide.policy import Node
from wallet_service.models.model import Standing
from wallet_service.models.nodes import node_of
from wallet_service.models.policy import SpendingPolicy
from wallet_service.models.registry import Models
from wallet_service.store.connections import Connection
from wallet_service.store.directory import StoredStanding, load_standings

MAX_KNOWN = 200_000


class Directory:
    """Knows wallets' nodes by their ids.

    Every change of a wallet makes the database's epoch grow. Who posts compares `epoch` with it
    under the accounts' locks; where it is another, `forget` and ask again.
    """

    def __init__(self, models: Models, max_known: int = MAX_KNOWN) -> None:
        self._models = models
        self._max_known = max_known
        self._known: dict[int, Node] = {}
        self._epoch: int | None = None

    @property
    def epoch(self) -> int | None:
        """The epoch as of which everything known is right; None before anything is.

        Others may move it at any `await`: read it right after `nodes` returns, with none between.
        """
        return self._epoch

    async def nodes(self, conn: Connection, wallet_ids: Collection[int]) -> Mapping[int, Node]:
        """Answer the nodes of those wallets that exist, all as of one epoch."""
        epoch = self._epoch
        known = {each: self._known[each] for each in wallet_ids if each in self._known}
        missing = set(wallet_ids) - known.keys()
        if not missing and epoch is not None:
            return known
        loaded_epoch, loaded = await load_nodes(conn, self._models, missing)
        if known and loaded_epoch != epoch:
            known = {}
            loaded_epoch, loaded = await load_nodes(conn, self._models, wallet_ids)
        self._keep(loaded_epoch, loaded)
        return known | loaded

    def forget(self) -> None:
        """Know nothing any more."""
        self._known.clear()
        self._epoch = None

    def _keep(self, epoch: int, nodes: Mapping[int, Node]) -> None:
        if epoch != self._epoch or len(self._known) + len(nodes) > self._max_known:
            self._known.clear()  # Those in use are soon known again.
        self._epoch = epoch
        self._known.update(nodes)


async def load_nodes(
    conn: Connection, models: Models, wallet_ids: Collection[int]
) -> tuple[int, dict[int, Node]]:
    """Read the nodes of those wallets that exist, and the epoch as of which they are right."""
    epoch, stored = await load_standings(conn, list(wallet_ids))
    standings = {each: _standing(models, stored[each]) for each in stored}
    nodes = {
        each: node_of([standings[each], *(standings[up] for up in reversed(stored[each].path))])
        for each in wallet_ids
        if each in stored
    }
    return epoch, nodes


def _standing(models: Models, stored: StoredStanding) -> Standing:
    return Standing(
        stored.wallet_id,
        stored.version,
        models[stored.wallet_type].model_validate(stored.attributes),
        SpendingPolicy.model_validate(stored.policy),
        stored.state,
    )
