"""A ledger with its publishers, its sinks and finance's documents, for the acceptance tests."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from google.cloud import firestore
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1.ledger_pb2 import TransactionKind

from devstack.services import ROLES, service
from tests import plans
from tests.acceptance.operators import Walletctl
from tests.books import Books, open_books
from tests.databases import WalletDatabase
from tests.event_servers import EventServers, project, until
from wallet_service.decide.plan import Plan

Documents = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class House:
    """A ledger with its publisher, its sink and finance's documents, the test's own."""

    servers: EventServers
    environment: Mapping[str, str]
    books: Books
    collection: firestore.CollectionReference

    @property
    def walletctl(self) -> Walletctl:
        return Walletctl({**os.environ, **self.environment})

    async def serve(self, name: str) -> None:
        """Start a process of the product (`sink`, or one more: `sink-2`), at its address if any."""
        role = ROLES[name.partition("-")[0]]
        target = self.environment.get(role.target)
        listen = target or f"127.0.0.1:{self.servers.ports.take()}"
        await self.servers.children.serve(service(name, role, self.environment, listen))

    async def end(self, name: str, signal_number: signal.Signals = signal.SIGTERM) -> None:
        await asyncio.to_thread(self.servers.children.end, name, signal_number)

    @asynccontextmanager
    async def serving(self, *names: str) -> AsyncIterator[None]:
        """Run processes until the end of the context."""
        for name in names:
            await self.serve(name)
        try:
            yield
        finally:
            for name in reversed(names):
                await self.end(name)

    async def wallet(self, usages: int) -> tuple[int, list[str]]:
        """Open a wallet, top it up and use something; answer its number, and the events' ids."""
        wallet = await self.books.wallet()
        asked = [plans.top_up(wallet, 1_000), *(plans.usage(wallet, 7) for _ in range(usages))]
        posted = [await self.books.post(told(each)) for each in asked]
        await asyncio.sleep(0.002)  # Events of this millisecond are not compared yet.
        return wallet, [f"txn_{each.transaction_id}" for each in posted]

    def documents(self) -> Documents:
        """Answer what is written, but for when."""
        written = {each.id: each.to_dict() or {} for each in self.collection.stream()}
        return {
            name: {field: value for field, value in each.items() if field != "written_time"}
            for name, each in written.items()
        }

    async def until_written(self, count: int) -> Documents:
        async def are_written() -> bool:
            return len(self.documents()) == count

        await until(are_written, f"{count} documents are written")
        return self.documents()

    def differences(self, *options: str) -> tuple[int, set[tuple[str, str]]]:
        """Reconcile; answer how many events there are, and which documents differ and how."""
        done = self.walletctl.run("reconcile", *options)
        report = json.loads(done.stdout)
        assert done.returncode == (1 if report["differences"] else 0), done.stderr
        named = {(each["difference"], each["event_id"]) for each in report["differences"]}
        counts = Counter(kind.lower() for kind, _ in named)
        assert counts == {name: report[name] for name in counts}
        return report["events"], named


def told(plan: Plan) -> Plan:
    """Give a plan the event that tells finance of it."""
    event = CostRevenueEvent(
        kind=TransactionKind.Value(f"TRANSACTION_KIND_{plan.kind}"),
        wallet_id=f"wal_{plan.wallet_id}",
        product_code="API_CALL" if plan.kind == "USAGE" else "",
        quantity=1 if plan.kind == "USAGE" else 0,
        request_id=plan.request_id,
    )
    return replace(plan, event=event.SerializeToString())


@asynccontextmanager
async def open_house(servers: EventServers, database: WalletDatabase) -> AsyncIterator[House]:
    """Yield a house whose Wallet and sink run, and whose publisher does not yet."""
    await servers.start("pubsub")
    await servers.start("firestore")
    emulators = servers.environment
    async with project(emulators["PUBSUB_EMULATOR_HOST"]) as fresh, open_books(database) as books:
        environment = {
            **emulators,
            "GOOGLE_CLOUD_PROJECT": fresh.name,
            "WALLET_DATABASE_URL": database.service_url,
            "WALLET_TARGET": f"127.0.0.1:{servers.ports.take()}",
        }
        client = firestore.Client(project=fresh.name)
        house = House(servers, environment, books, client.collection("cost_revenue_events"))
        async with house.serving("wallet", "sink"):
            yield house
        client.close()
