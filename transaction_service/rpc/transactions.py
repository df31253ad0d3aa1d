"""The callers' own actions: gRPC in, use case, gRPC out. No decisions."""

from privy.transaction.v1 import transaction_pb2 as pb
from privy.transaction.v1 import transaction_pb2_grpc
from privy.wallet.v1 import ledger_pb2

from shared.fields import checked_text
from transaction_service.actions import Actions
from transaction_service.batches import Batches
from transaction_service.rpc.context import Context
from transaction_service.wallet_client import WalletClient
from transaction_service.wire import answers, requests

MAX_ID = 64


class TransactionServicer(transaction_pb2_grpc.TransactionServiceServicer):
    def __init__(self, actions: Actions, batches: Batches, wallet: WalletClient) -> None:
        self._actions = actions
        self._batches = batches
        self._wallet = wallet

    async def TopUp(self, request: pb.TopUpRequest, context: Context) -> pb.TopUpResponse:
        booked = await self._actions.execute(requests.top_up_of(request))
        return answers.with_transaction(pb.TopUpResponse(), booked)

    async def BookUsage(
        self, request: pb.BookUsageRequest, context: Context
    ) -> pb.BookUsageResponse:
        booked = await self._actions.execute(requests.booked_usage_of(request))
        return answers.with_transaction(pb.BookUsageResponse(), booked)

    async def CommitUsage(
        self, request: pb.CommitUsageRequest, context: Context
    ) -> pb.CommitUsageResponse:
        booked = await self._actions.execute(requests.commit_of(request))
        return answers.with_transaction(pb.CommitUsageResponse(), booked)

    async def CancelUsage(
        self, request: pb.CancelUsageRequest, context: Context
    ) -> pb.CancelUsageResponse:
        booked = await self._actions.execute(requests.cancel_of(request))
        return answers.with_transaction(pb.CancelUsageResponse(), booked)

    async def RecordUsage(
        self, request: pb.RecordUsageRequest, context: Context
    ) -> pb.RecordUsageResponse:
        booked = await self._actions.execute(requests.usage_of(request))
        return answers.with_transaction(pb.RecordUsageResponse(), booked)

    async def Transfer(self, request: pb.TransferRequest, context: Context) -> pb.TransferResponse:
        booked = await self._actions.execute(requests.transfer_of(request))
        return answers.with_transaction(pb.TransferResponse(), booked)

    async def VoidTransaction(
        self, request: pb.VoidTransactionRequest, context: Context
    ) -> pb.VoidTransactionResponse:
        booked = await self._actions.execute(requests.void_of(request))
        return answers.with_transaction(pb.VoidTransactionResponse(), booked)

    async def QuoteUsage(
        self, request: pb.QuoteUsageRequest, context: Context
    ) -> pb.QuoteUsageResponse:
        return answers.quote_out(*await self._actions.quote_usage(requests.quote_of(request)))

    async def ExecuteBatch(
        self, request: pb.ExecuteBatchRequest, context: Context
    ) -> pb.ExecuteBatchResponse:
        return answers.batch_out(await self._batches.execute(requests.batch_of(request)))

    async def GetTransaction(
        self, request: pb.GetTransactionRequest, context: Context
    ) -> pb.GetTransactionResponse:
        transaction_id = checked_text(request.transaction_id, "transaction_id", 1, MAX_ID)
        found = await self._wallet.transaction(transaction_id)
        return answers.with_transaction(pb.GetTransactionResponse(), found)

    async def ListTransactions(
        self, request: pb.ListTransactionsRequest, context: Context
    ) -> pb.ListTransactionsResponse:
        page = await self._wallet.transactions(
            ledger_pb2.ListTransactionsRequest(
                wallet_id=request.wallet_id,
                page_size=request.page_size,
                page_token=request.page_token,
                booking_id=request.booking_id,
            )
        )
        response = pb.ListTransactionsResponse(next_page_token=page.next_page_token)
        for each in page.transactions:
            answers.show(response.transactions.add(), each)
        return response
