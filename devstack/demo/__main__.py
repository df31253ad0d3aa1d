"""`python -m devstack.demo`: tells the story on the fresh stack that the environment names.

Exit code 1: something is off, or a part did not answer; standard error says what.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import AsyncClient

from devstack.demo.acts.story import Story, play
from devstack.demo.audit import Auditor
from devstack.demo.books import Books
from devstack.demo.checks.story import check
from devstack.demo.dead_letters import DeadLetterDesk, mended
from devstack.demo.desk import Desk, UnexpectedlyAcceptedError
from devstack.demo.documents import Document, wait_for_documents
from devstack.demo.page import Page
from devstack.demo.reconciliation import reconcile
from devstack.demo.scenes.finance import scenes_of_finance
from devstack.demo.scenes.story import scenes_of
from shared.finance_settings import TopologySettings, topology_of
from shared.rpc_client import error_of, open_channel
from transaction_service.topology import open_pubsub

CALL_TIMEOUT_S = 5.0
DOCUMENTS_DEADLINE_S = 30.0


def main() -> int:
    try:
        return asyncio.run(tell(os.environ, Page()))
    except grpc.aio.AioRpcError as failure:
        error = error_of(failure, "STACK")
        return _failed(f"{error.reason}: {error.message}")
    except (GoogleAPICallError, UnexpectedlyAcceptedError) as error:
        return _failed(str(error))
    except TimeoutError:
        return _failed("what the story waits for did not happen in time")
    except KeyboardInterrupt:
        return 130


async def tell(environ: Mapping[str, str], page: Page) -> int:
    """Play, show and check; answer the exit code."""
    started = time.monotonic()
    async with (
        open_channel(environ["TRANSACTION_TARGET"], CALL_TIMEOUT_S) as transaction,
        open_channel(environ["WALLET_TARGET"], CALL_TIMEOUT_S) as wallet,
    ):
        with page.busy("the story happens; a price book takes effect after 5 s"):
            story = await play(Desk(transaction, wallet), transaction)
        for scene in scenes_of(story):
            page.show(scene)
        books = await read_books(Auditor(wallet), page, story)
    for scene in scenes_of_finance(books, story.cast.names()):
        page.show(scene)
    checks = check(story, books)
    page.conclude(checks, time.monotonic() - started)
    return 0 if all(each.holds for each in checks) else 1


async def read_books(auditor: Auditor, page: Page, story: Story) -> Books:
    """Find the event that finance could not take, mend it, and read what both sides have then."""
    settings = TopologySettings()
    client, expected = AsyncClient(), len(story.movements())
    async with open_pubsub(settings.pubsub_emulator_host) as pubsub:
        dead_letters = DeadLetterDesk(topology_of(settings), pubsub)
        before = await read_documents(client, page, expected - 1)
        letter = await dead_letters.find(story.slip.answer.transaction_id)
        await dead_letters.replay(letter, mended(letter.data))
    documents = await read_documents(client, page, expected)
    with page.busy("walletctl reconcile compares the ledger with the documents"):
        reconciliation = await reconcile()
    return Books(await auditor.audit(story.cast), letter, before, documents, reconciliation)


async def read_documents(client: AsyncClient, page: Page, expected: int) -> Sequence[Document]:
    """Read the documents once as many are there as are expected."""
    with page.progress("events reach Firestore", expected) as report:
        return await wait_for_documents(client, expected, DOCUMENTS_DEADLINE_S, report)


def _failed(reason: str) -> int:
    print(f"demo: {reason}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
