"""Has effects once, however often it takes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import structlog
from google.api_core.exceptions import AlreadyExists, GoogleAPICallError, InvalidArgument

from shared.telemetry import Metrics
from transaction_service.erp_sink.effects import Effects, halves_of
from transaction_service.erp_sink.store import Store

_log = structlog.get_logger()


async def write_once(
    store: Store, effects: Effects, backoff: Callable[[], Iterator[float]], metrics: Metrics
) -> Mapping[str, str]:
    """Have those of `effects` whose document is not there yet; answer why others never can be.

    At most one commit's (`commits_of`); the answer is by document id.

    Whatever may pass is tried again for as long as it takes: only Firestore's verdict that the
    request itself is wrong is final, and then the batch is halved until that one is found.
    """
    delays_s = backoff()
    missing = effects
    while missing:
        try:
            missing = await _write_missing(store, missing)
        except InvalidArgument as error:
            if len(missing) == 1:
                return dict.fromkeys(missing, str(error))
            first, second = halves_of(missing)
            return {
                **await write_once(store, first, backoff, metrics),
                **await write_once(store, second, backoff, metrics),
            }
        except GoogleAPICallError as error:
            metrics.increment("commits_failed")
            delay_s = next(delays_s)
            _log.warning("commit failed", error=repr(error), retry_in_s=round(delay_s, 2))
            await asyncio.sleep(delay_s)
    return {}


async def _write_missing(store: Store, effects: Effects) -> Effects:
    """Try once; answer what is still to be written: fewer than `effects`. Else raise."""
    try:
        await store.write(effects)
    except AlreadyExists:
        existing = await store.existing(effects.keys())
        if not existing:
            raise
        return {name: each for name, each in effects.items() if name not in existing}
    return {}
