"""An enterprise's tree: gRPC in, use case, gRPC out. No decisions."""

from privy.transaction.v1 import enterprise_pb2 as pb
from privy.transaction.v1 import enterprise_pb2_grpc

from transaction_service.enterprise import Enterprise
from transaction_service.rpc.context import Context
from transaction_service.wire import answers, requests


class EnterpriseServicer(enterprise_pb2_grpc.EnterpriseServiceServicer):
    def __init__(self, enterprise: Enterprise) -> None:
        self._enterprise = enterprise

    async def AssignBalance(
        self, request: pb.AssignBalanceRequest, context: Context
    ) -> pb.AssignBalanceResponse:
        booked = await self._enterprise.assign(requests.assignment_of(request))
        return answers.with_transaction(pb.AssignBalanceResponse(), booked)

    async def UnassignBalance(
        self, request: pb.UnassignBalanceRequest, context: Context
    ) -> pb.UnassignBalanceResponse:
        booked = await self._enterprise.unassign(requests.unassignment_of(request))
        return answers.with_transaction(pb.UnassignBalanceResponse(), booked)

    async def AddOnBalance(
        self, request: pb.AddOnBalanceRequest, context: Context
    ) -> pb.AddOnBalanceResponse:
        booked = await self._enterprise.add_on(requests.add_on_of(request))
        return answers.with_transaction(pb.AddOnBalanceResponse(), booked)

    async def ExtendBalance(
        self, request: pb.ExtendBalanceRequest, context: Context
    ) -> pb.ExtendBalanceResponse:
        booked = await self._enterprise.extend(requests.extension_of(request))
        return answers.with_transaction(pb.ExtendBalanceResponse(), booked)
