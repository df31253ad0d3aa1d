"""`python -m devstack.demo`: tells the story on the fresh stack that the environment names.

Exit code 1: something is off, or a part did not answer; standard error says what.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import AsyncClient

from devstack.demo import acts, scenes
from devstack.demo.checks import check
from devstack.demo.desk import Desk, UnexpectedlyAcceptedError
from devstack.demo.documents import wait_for_documents
from devstack.demo.finance import Books, ledger_sums
from devstack.demo.page import Page
from shared.rpc_client import error_of, open_channel

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
    except KeyboardInterrupt:
        return 130


async def tell(environ: Mapping[str, str], page: Page) -> int:
    """Play, show and check; answer the exit code."""
    started = time.monotonic()
    async with (
        open_channel(environ["TRANSACTION_TARGET"], CALL_TIMEOUT_S) as transaction,
        open_channel(environ["WALLET_TARGET"], CALL_TIMEOUT_S) as wallet,
    ):
        desk = Desk(transaction, wallet)
        story = await acts.play(desk)
        for scene in scenes.scenes_of(story):
            page.show(scene)
        books = await read_books(desk, page, expected=len(story.movements()))
    for scene in scenes.scenes_of_finance(books, story.cast.names()):
        page.show(scene)
    checks = check(story, books)
    page.conclude(checks, time.monotonic() - started)
    return 0 if all(each.holds for each in checks) else 1


async def read_books(desk: Desk, page: Page, expected: int) -> Books:
    """Read the ledger's sums, and the documents once as many are there as are expected."""
    with page.progress("events reach Firestore", expected) as report:
        documents = await wait_for_documents(AsyncClient(), expected, DOCUMENTS_DEADLINE_S, report)
    return Books(ledger_sums(await desk.trial_balance()), documents)


def _failed(reason: str) -> int:
    print(f"demo: {reason}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
