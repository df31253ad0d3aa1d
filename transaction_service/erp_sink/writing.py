"""Creates documents once, however often it takes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import structlog
from google.api_core.exceptions import AlreadyExists, GoogleAPICallError, InvalidArgument

from shared.telemetry import Metrics
from transaction_service.erp_sink.document import Document
from transaction_service.erp_sink.store import Store

Documents = Mapping[str, Document]

_log = structlog.get_logger()


async def create_once(
    store: Store, documents: Documents, backoff: Callable[[], Iterator[float]], metrics: Metrics
) -> Mapping[str, str]:
    """Create those of `documents` that are not there yet; answer why others never can be, by id.

    Whatever may pass is tried again for as long as it takes: only Firestore's verdict that the
    request itself is wrong is final, and then the batch is halved until that one is found.
    """
    delays_s = backoff()
    missing = documents
    while missing:
        try:
            missing = await _create_missing(store, missing)
        except InvalidArgument as error:
            if len(missing) == 1:
                return dict.fromkeys(missing, str(error))
            first, second = _halves(missing)
            return {
                **await create_once(store, first, backoff, metrics),
                **await create_once(store, second, backoff, metrics),
            }
        except GoogleAPICallError as error:
            metrics.increment("commits_failed")
            delay_s = next(delays_s)
            _log.warning("commit failed", error=repr(error), retry_in_s=round(delay_s, 2))
            await asyncio.sleep(delay_s)
    return {}


async def _create_missing(store: Store, documents: Documents) -> Documents:
    """Try once; answer what is still to be created: fewer than `documents`. Else raise."""
    try:
        await store.create(documents)
    except AlreadyExists:
        existing = await store.existing(documents.keys())
        if not existing:
            raise
        return {name: each for name, each in documents.items() if name not in existing}
    return {}


def _halves(documents: Documents) -> tuple[Documents, Documents]:
    items = list(documents.items())
    middle = len(items) // 2
    return dict(items[:middle]), dict(items[middle:])
