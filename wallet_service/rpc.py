"""gRPC in, use case, gRPC out. No decisions."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import grpc
from privy.wallet.v1 import (
    feed_pb2,
    feed_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    wallet_pb2,
    wallet_pb2_grpc,
)

from shared.errors import invalid
from shared.fields import checked_text, moment_of
from shared.rpc_server import Services
from wallet_service import ids
from wallet_service.decide.model import Plan
from wallet_service.errors import Refusal
from wallet_service.feed import Feed
from wallet_service.ledger import Answer, Ledger
from wallet_service.paging import PageTokens, page_size
from wallet_service.wallets import Wallets
from wallet_service.wire import answers, requests

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

MAX_PLANS = 1000
MAX_EVENTS = 1000
MAX_WAIT_S = 20.0
FIRST_PLACE = (1 << 63) - 1
"""Greater than any transaction id: where newest-first lists start."""


class WalletServicer(wallet_pb2_grpc.WalletServiceServicer):
    def __init__(self, wallets: Wallets, tokens: PageTokens) -> None:
        self._wallets = wallets
        self._tokens = tokens

    async def CreateWallet(
        self, request: wallet_pb2.CreateWalletRequest, context: Context
    ) -> wallet_pb2.CreateWalletResponse:
        wallet = await self._wallets.create(*requests.create_request_of(request))
        return wallet_pb2.CreateWalletResponse(wallet=answers.wallet_out(wallet))

    async def GetWallet(
        self, request: wallet_pb2.GetWalletRequest, context: Context
    ) -> wallet_pb2.GetWalletResponse:
        wallet = await self._wallets.get(requests.wallet_id_of(request.wallet_id))
        return wallet_pb2.GetWalletResponse(wallet=answers.wallet_out(wallet))

    async def UpdateWallet(
        self, request: wallet_pb2.UpdateWalletRequest, context: Context
    ) -> wallet_pb2.UpdateWalletResponse:
        wallet = await self._wallets.rename(
            requests.request_of(request),
            requests.wallet_id_of(request.wallet_id),
            request.version,
            checked_text(request.display_name, "display_name", 1, requests.MAX_DISPLAY_NAME),
        )
        return wallet_pb2.UpdateWalletResponse(wallet=answers.wallet_out(wallet))

    async def FreezeWallet(
        self, request: wallet_pb2.FreezeWalletRequest, context: Context
    ) -> wallet_pb2.FreezeWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.freeze(requests.request_of(request), wallet_id)
        return wallet_pb2.FreezeWalletResponse(wallet=answers.wallet_out(wallet))

    async def UnfreezeWallet(
        self, request: wallet_pb2.UnfreezeWalletRequest, context: Context
    ) -> wallet_pb2.UnfreezeWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.unfreeze(requests.request_of(request), wallet_id)
        return wallet_pb2.UnfreezeWalletResponse(wallet=answers.wallet_out(wallet))

    async def CloseWallet(
        self, request: wallet_pb2.CloseWalletRequest, context: Context
    ) -> wallet_pb2.CloseWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.close(requests.request_of(request), wallet_id)
        return wallet_pb2.CloseWalletResponse(wallet=answers.wallet_out(wallet))

    async def SetCreditLimit(
        self, request: wallet_pb2.SetCreditLimitRequest, context: Context
    ) -> wallet_pb2.SetCreditLimitResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        limit = requests.credit_limit_of(request)
        wallet = await self._wallets.set_credit_limit(
            requests.request_of(request), wallet_id, *limit
        )
        return wallet_pb2.SetCreditLimitResponse(wallet=answers.wallet_out(wallet))

    async def ListWallets(
        self, request: wallet_pb2.ListWalletsRequest, context: Context
    ) -> wallet_pb2.ListWalletsResponse:
        size = page_size(request.page_size)
        query = f"wallets/{request.parent_wallet_id}"
        (after,) = self._tokens.place(query, request.page_token) or (0,)
        parent = ids.wallet_number(request.parent_wallet_id) if request.parent_wallet_id else None
        page = await self._wallets.page(after, parent, size + 1)
        more = len(page) > size
        return wallet_pb2.ListWalletsResponse(
            wallets=[answers.wallet_out(each) for each in page[:size]],
            next_page_token=self._tokens.token(query, [page[size - 1].wallet_id]) if more else "",
        )

    async def GetBalances(
        self, request: wallet_pb2.GetBalancesRequest, context: Context
    ) -> wallet_pb2.GetBalancesResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        balances = await self._wallets.balances(wallet_id, moment_of(request, "as_of_time"))
        return wallet_pb2.GetBalancesResponse(
            balances=[answers.balance_out(each) for each in balances]
        )

    async def ListEntries(
        self, request: wallet_pb2.ListEntriesRequest, context: Context
    ) -> wallet_pb2.ListEntriesResponse:
        size = page_size(request.page_size)
        query = f"entries/{request.wallet_id}/{request.asset_code}"
        transaction_id, leg_index = self._tokens.place(query, request.page_token) or (
            FIRST_PLACE,
            0,
        )
        page = await self._wallets.entries(
            requests.wallet_id_of(request.wallet_id),
            request.asset_code,
            (transaction_id, leg_index),
            size + 1,
        )
        last = [page[size - 1].transaction_id, page[size - 1].leg_index] if len(page) > size else []
        return wallet_pb2.ListEntriesResponse(
            entries=[answers.wallet_entry_out(each) for each in page[:size]],
            next_page_token=self._tokens.token(query, last) if last else "",
        )


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    def __init__(self, ledger: Ledger, tokens: PageTokens) -> None:
        self._ledger = ledger
        self._tokens = tokens

    async def PostBatch(
        self, request: ledger_pb2.PostBatchRequest, context: Context
    ) -> ledger_pb2.PostBatchResponse:
        if len(request.plans) > MAX_PLANS:
            raise invalid("plans", f"must be at most {MAX_PLANS}")
        given = await asyncio.gather(*map(self._post, requests.groups_of(request)))
        return ledger_pb2.PostBatchResponse(
            results=[answers.result_out(each) for group in given for each in group]
        )

    async def _post(self, group: list[Plan] | list[Refusal]) -> Sequence[Answer]:
        refusals = [each for each in group if isinstance(each, Refusal)]
        plans = [each for each in group if isinstance(each, Plan)]
        return refusals or await self._ledger.post_group(plans)

    async def GetTransaction(
        self, request: ledger_pb2.GetTransactionRequest, context: Context
    ) -> ledger_pb2.GetTransactionResponse:
        named = checked_text(request.transaction_id, "transaction_id", 1, requests.MAX_REQUEST_ID)
        transaction = await self._ledger.get_transaction(ids.transaction_number(named), named)
        return ledger_pb2.GetTransactionResponse(transaction=answers.transaction_out(transaction))

    async def ListTransactions(
        self, request: ledger_pb2.ListTransactionsRequest, context: Context
    ) -> ledger_pb2.ListTransactionsResponse:
        size = page_size(request.page_size)
        query = f"transactions/{request.wallet_id}/{request.booking_id}"
        (before,) = self._tokens.place(query, request.page_token) or (FIRST_PLACE,)
        booking_id = ids.booking_number(request.booking_id) if request.booking_id else None
        page = await self._ledger.list_transactions(
            requests.wallet_id_of(request.wallet_id), before, booking_id, size + 1
        )
        last = [page[size - 1].transaction_id] if len(page) > size else []
        return ledger_pb2.ListTransactionsResponse(
            transactions=[answers.transaction_out(each) for each in page[:size]],
            next_page_token=self._tokens.token(query, last) if last else "",
        )

    async def GetTrialBalance(
        self, request: ledger_pb2.GetTrialBalanceRequest, context: Context
    ) -> ledger_pb2.GetTrialBalanceResponse:
        lines = await self._ledger.trial_balance()
        return ledger_pb2.GetTrialBalanceResponse(
            lines=[answers.trial_balance_line_out(each) for each in lines]
        )


class EventFeedServicer(feed_pb2_grpc.EventFeedServiceServicer):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def PullEvents(
        self, request: feed_pb2.PullEventsRequest, context: Context
    ) -> feed_pb2.PullEventsResponse:
        consumer_id = checked_text(request.consumer_id, "consumer_id", 1, requests.MAX_REQUEST_ID)
        if not 1 <= request.max_events <= MAX_EVENTS:
            raise invalid("max_events", f"must be 1 to {MAX_EVENTS}")
        wait_s = request.wait.ToNanoseconds() / 1e9
        if not 0 <= wait_s <= MAX_WAIT_S:
            raise invalid("wait", f"must be 0 to {MAX_WAIT_S} s")
        pulled = await self._feed.pull(consumer_id, request.max_events, wait_s)
        events = [answers.feed_event_out(each) for each in pulled.events]
        return feed_pb2.PullEventsResponse(
            events=events,
            backlog=pulled.backlog,
            oldest_create_time=events[0].create_time if events else None,
        )

    async def AcknowledgeEvents(
        self, request: feed_pb2.AcknowledgeEventsRequest, context: Context
    ) -> feed_pb2.AcknowledgeEventsResponse:
        checked_text(request.consumer_id, "consumer_id", 1, requests.MAX_REQUEST_ID)
        if len(request.transaction_ids) > MAX_EVENTS:
            raise invalid("transaction_ids", f"must be at most {MAX_EVENTS}")
        await self._feed.acknowledge(
            [ids.transaction_number(each) for each in request.transaction_ids]
        )
        return feed_pb2.AcknowledgeEventsResponse()


def services(wallets: Wallets, ledger: Ledger, feed: Feed, tokens: PageTokens) -> Services:
    """Say which gRPC services this process serves, and with what."""

    def register(server: grpc.aio.Server) -> None:
        wallet_pb2_grpc.add_WalletServiceServicer_to_server(WalletServicer(wallets, tokens), server)
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server(LedgerServicer(ledger, tokens), server)
        feed_pb2_grpc.add_EventFeedServiceServicer_to_server(EventFeedServicer(feed), server)

    packages = (wallet_pb2, ledger_pb2, feed_pb2)
    names = tuple(
        service.full_name
        for package in packages
        for service in package.DESCRIPTOR.services_by_name.values()
    )
    return Services(names, register)
