"""`WalletService`: gRPC in, use case, gRPC out. No decisions."""

from privy.wallet.v1 import wallet_pb2, wallet_pb2_grpc

from shared.paging import PageTokens, page_size
from wallet_service.reports import Reports
from wallet_service.rpc.context import Context, query_of
from wallet_service.spending import Spending
from wallet_service.store.entries import LAST_ID
from wallet_service.wallets import Wallets
from wallet_service.wire import answers, places, requests
from wallet_service.wire import wallets as wire


class WalletServicer(wallet_pb2_grpc.WalletServiceServicer):
    def __init__(
        self, wallets: Wallets, spending: Spending, reports: Reports, tokens: PageTokens
    ) -> None:
        self._wallets = wallets
        self._spending = spending
        self._reports = reports
        self._tokens = tokens

    async def CreateWallet(
        self, request: wallet_pb2.CreateWalletRequest, context: Context
    ) -> wallet_pb2.CreateWalletResponse:
        wallet = await self._wallets.create(
            requests.request_of(request), wire.new_wallet_of(request.wallet)
        )
        return wallet_pb2.CreateWalletResponse(wallet=wire.wallet_out(wallet))

    async def GetWallet(
        self, request: wallet_pb2.GetWalletRequest, context: Context
    ) -> wallet_pb2.GetWalletResponse:
        wallet = await self._wallets.get(requests.wallet_id_of(request.wallet_id))
        return wallet_pb2.GetWalletResponse(wallet=wire.wallet_out(wallet))

    async def BatchGetWallets(
        self, request: wallet_pb2.BatchGetWalletsRequest, context: Context
    ) -> wallet_pb2.BatchGetWalletsResponse:
        found = await self._wallets.several(wire.wallet_ids_of(request))
        return wallet_pb2.BatchGetWalletsResponse(wallets=[wire.wallet_out(each) for each in found])

    async def UpdateWallet(
        self, request: wallet_pb2.UpdateWalletRequest, context: Context
    ) -> wallet_pb2.UpdateWalletResponse:
        wallet = await self._wallets.update(
            requests.request_of(request),
            requests.wallet_id_of(request.wallet_id),
            request.version,
            wire.update_of(request),
        )
        return wallet_pb2.UpdateWalletResponse(wallet=wire.wallet_out(wallet))

    async def MoveWallet(
        self, request: wallet_pb2.MoveWalletRequest, context: Context
    ) -> wallet_pb2.MoveWalletResponse:
        wallet = await self._wallets.move(
            requests.request_of(request),
            requests.wallet_id_of(request.wallet_id),
            request.version,
            wire.parent_of(request.parent_wallet_id),
        )
        return wallet_pb2.MoveWalletResponse(wallet=wire.wallet_out(wallet))

    async def FreezeWallet(
        self, request: wallet_pb2.FreezeWalletRequest, context: Context
    ) -> wallet_pb2.FreezeWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.freeze(requests.request_of(request), wallet_id)
        return wallet_pb2.FreezeWalletResponse(wallet=wire.wallet_out(wallet))

    async def UnfreezeWallet(
        self, request: wallet_pb2.UnfreezeWalletRequest, context: Context
    ) -> wallet_pb2.UnfreezeWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.unfreeze(requests.request_of(request), wallet_id)
        return wallet_pb2.UnfreezeWalletResponse(wallet=wire.wallet_out(wallet))

    async def CloseWallet(
        self, request: wallet_pb2.CloseWalletRequest, context: Context
    ) -> wallet_pb2.CloseWalletResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        wallet = await self._wallets.close(requests.request_of(request), wallet_id)
        return wallet_pb2.CloseWalletResponse(wallet=wire.wallet_out(wallet))

    async def SetCreditLimit(
        self, request: wallet_pb2.SetCreditLimitRequest, context: Context
    ) -> wallet_pb2.SetCreditLimitResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        limit = requests.credit_limit_of(request)
        wallet = await self._wallets.set_credit_limit(
            requests.request_of(request), wallet_id, *limit
        )
        return wallet_pb2.SetCreditLimitResponse(wallet=wire.wallet_out(wallet))

    async def ListWallets(
        self, request: wallet_pb2.ListWalletsRequest, context: Context
    ) -> wallet_pb2.ListWalletsResponse:
        size, query = page_size(request.page_size), query_of(request)
        (after,) = self._tokens.place(query, request.page_token) or (0,)
        parent = wire.parent_of(request.parent_wallet_id)
        page = await self._wallets.page(after, parent, size + 1)
        last = [page[size - 1].wallet_id] if len(page) > size else []
        return wallet_pb2.ListWalletsResponse(
            wallets=[wire.wallet_out(each) for each in page[:size]],
            next_page_token=self._tokens.next_token(query, last),
        )

    async def GetBalances(
        self, request: wallet_pb2.GetBalancesRequest, context: Context
    ) -> wallet_pb2.GetBalancesResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        balances = await self._reports.balances(wallet_id, requests.bound_of(request))
        return wallet_pb2.GetBalancesResponse(
            balances=[answers.balance_out(each) for each in balances]
        )

    async def GetSpending(
        self, request: wallet_pb2.GetSpendingRequest, context: Context
    ) -> wallet_pb2.GetSpendingResponse:
        spent = await self._spending.of_wallet(requests.wallet_id_of(request.wallet_id))
        return wallet_pb2.GetSpendingResponse(spending=[wire.spending_out(each) for each in spent])

    async def ListEntries(
        self, request: wallet_pb2.ListEntriesRequest, context: Context
    ) -> wallet_pb2.ListEntriesResponse:
        size, query = page_size(request.page_size), query_of(request)
        before, leg_index = self._tokens.place(query, request.page_token) or (LAST_ID, 0)
        wanted = requests.entry_filter_of(request)
        page = await self._reports.entries(wanted, (before, leg_index), size + 1)
        last = [page[size - 1].transaction_id, page[size - 1].leg_index] if len(page) > size else []
        return wallet_pb2.ListEntriesResponse(
            entries=[answers.wallet_entry_out(each) for each in page[:size]],
            next_page_token=self._tokens.next_token(query, last),
        )

    async def ListLots(
        self, request: wallet_pb2.ListLotsRequest, context: Context
    ) -> wallet_pb2.ListLotsResponse:
        wallet_id = requests.wallet_id_of(request.wallet_id)
        lots = await self._reports.lots(wallet_id, requests.asset_filter_of(request))
        return wallet_pb2.ListLotsResponse(lots=[answers.lot_out(each) for each in lots])

    async def GetStatement(
        self, request: wallet_pb2.GetStatementRequest, context: Context
    ) -> wallet_pb2.GetStatementResponse:
        size, query = page_size(request.page_size), query_of(request)
        after = places.place_of(self._tokens.place(query, request.page_token))
        wanted = requests.stretch_of(request)
        statement = await self._reports.statement(wanted, after, size + 1)
        page = statement.entries
        last = places.place_out(page[size - 1]) if len(page) > size else []
        return wallet_pb2.GetStatementResponse(
            opening=answers.balance_out(statement.opening),
            closing=answers.balance_out(statement.closing),
            entries=[answers.wallet_entry_out(each) for each in page[:size]],
            next_page_token=self._tokens.next_token(query, last),
        )
