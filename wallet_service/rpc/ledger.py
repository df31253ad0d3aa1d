"""`LedgerService`: gRPC in, use case, gRPC out. No decisions."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import chain

from privy.wallet.v1 import ledger_pb2, ledger_pb2_grpc

from shared.errors import invalid
from shared.fields import checked_text
from shared.paging import PageTokens, page_size
from wallet_service import ids
from wallet_service.ledger import Ledger
from wallet_service.periods import LAST, Periods
from wallet_service.reports import Reports
from wallet_service.rpc.context import Context, query_of
from wallet_service.store.entries import LAST_ID
from wallet_service.verification import Verification
from wallet_service.wire import answers, plans, requests
from wallet_service.wire import reports as wire_reports
from wallet_service.wire.fields import MAX_REQUEST_ID

MAX_PLANS = 1000


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    def __init__(
        self,
        ledger: Ledger,
        reports: Reports,
        periods: Periods,
        verification: Verification,
        tokens: PageTokens,
    ) -> None:
        self._ledger = ledger
        self._reports = reports
        self._periods = periods
        self._verification = verification
        self._tokens = tokens

    async def PostBatch(
        self, request: ledger_pb2.PostBatchRequest, context: Context
    ) -> ledger_pb2.PostBatchResponse:
        if len(request.plans) > MAX_PLANS:
            raise invalid("plans", f"must be at most {MAX_PLANS}")
        groups = plans.groups_of(request)
        posted = iter(await self._ledger.post_groups([each.plans for each in groups if each.plans]))
        given = [each.refusals or next(posted) for each in groups]
        return answers.posted_out(chain.from_iterable(given), request.view)

    async def GetTransaction(
        self, request: ledger_pb2.GetTransactionRequest, context: Context
    ) -> ledger_pb2.GetTransactionResponse:
        named = checked_text(request.transaction_id, "transaction_id", 1, MAX_REQUEST_ID)
        transaction = await self._reports.transaction(ids.transaction_number(named), named)
        response = ledger_pb2.GetTransactionResponse()
        answers.show(response.transaction, transaction)
        return response

    async def BatchGetTransactions(
        self, request: ledger_pb2.BatchGetTransactionsRequest, context: Context
    ) -> ledger_pb2.BatchGetTransactionsResponse:
        asked = requests.transaction_ids_of(request.transaction_ids)
        found = await self._reports.several(asked)
        response = ledger_pb2.BatchGetTransactionsResponse()
        for each in asked:
            shown = response.transactions.add()
            if each in found:
                answers.show(shown, found[each])
        return response

    async def ListTransactions(
        self, request: ledger_pb2.ListTransactionsRequest, context: Context
    ) -> ledger_pb2.ListTransactionsResponse:
        size, query = page_size(request.page_size), query_of(request)
        (before,) = self._tokens.place(query, request.page_token) or (LAST_ID,)
        wallet_id = requests.wallet_id_of(request.wallet_id)
        booking_id = ids.booking_number(request.booking_id) if request.booking_id else None
        page = await self._reports.transactions(wallet_id, before, booking_id, size + 1)
        last = [page[size - 1].transaction_id] if len(page) > size else []
        response = ledger_pb2.ListTransactionsResponse(
            next_page_token=self._tokens.next_token(query, last)
        )
        for each in page[:size]:
            answers.show(response.transactions.add(), each)
        return response

    async def GetTrialBalance(
        self, request: ledger_pb2.GetTrialBalanceRequest, context: Context
    ) -> ledger_pb2.GetTrialBalanceResponse:
        lines = await self._reports.trial_balance(requests.bound_of(request))
        return ledger_pb2.GetTrialBalanceResponse(
            lines=[answers.trial_balance_line_out(each) for each in lines]
        )

    async def CloseAccountingPeriod(
        self, request: ledger_pb2.CloseAccountingPeriodRequest, context: Context
    ) -> ledger_pb2.CloseAccountingPeriodResponse:
        ends_at = requests.period_end_of(request)
        period = await self._periods.close(requests.request_of(request), ends_at)
        return ledger_pb2.CloseAccountingPeriodResponse(period=answers.period_out(period))

    async def ListAccountingPeriods(
        self, request: ledger_pb2.ListAccountingPeriodsRequest, context: Context
    ) -> ledger_pb2.ListAccountingPeriodsResponse:
        size, query = page_size(request.page_size), query_of(request)
        (before,) = self._tokens.place(query, request.page_token) or (LAST,)
        page = await self._periods.page(before, size + 1)
        last = [page[size - 1].period_id] if len(page) > size else []
        return ledger_pb2.ListAccountingPeriodsResponse(
            periods=[answers.period_out(each) for each in page[:size]],
            next_page_token=self._tokens.next_token(query, last),
        )

    async def VerifyLedger(
        self, request: ledger_pb2.VerifyLedgerRequest, context: Context
    ) -> AsyncIterator[ledger_pb2.VerifyLedgerResponse]:
        async with aclosing(
            self._verification.run(wire_reports.known_heads_of(request))
        ) as reports:
            async for report in reports:
                yield wire_reports.report_out(report)
