"""Price books: gRPC in, use case, gRPC out. No decisions."""

from datetime import UTC, datetime, timedelta

from privy.transaction.v1 import price_book_pb2 as pb
from privy.transaction.v1 import price_book_pb2_grpc

from shared.paging import PageTokens, page_size
from transaction_service import price_book_wire as wire
from transaction_service.catalogue import Catalogue
from transaction_service.rpc.context import Context
from transaction_service.store import Publication

_QUERY = "price books"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


class PriceBookServicer(price_book_pb2_grpc.PriceBookServiceServicer):
    def __init__(self, catalogue: Catalogue, tokens: PageTokens) -> None:
        self._catalogue = catalogue
        self._tokens = tokens

    async def PublishPriceBook(
        self, request: pb.PublishPriceBookRequest, context: Context
    ) -> pb.PublishPriceBookResponse:
        published = await self._catalogue.publish(wire.publish_of(request))
        return pb.PublishPriceBookResponse(price_book=wire.published_out(published))

    async def GetPriceBook(
        self, request: pb.GetPriceBookRequest, context: Context
    ) -> pb.GetPriceBookResponse:
        version, at = wire.version_of(request)
        found = await (self._catalogue.get(version) if version else self._catalogue.in_force(at))
        return pb.GetPriceBookResponse(price_book=wire.published_out(found))

    async def ListPriceBooks(
        self, request: pb.ListPriceBooksRequest, context: Context
    ) -> pb.ListPriceBooksResponse:
        size = page_size(request.page_size)
        place = self._tokens.place(_QUERY, request.page_token)
        before = _EPOCH + place[0] * _INSTANT if place else None
        page = await self._catalogue.page(before, size + 1)
        last = [_place(page[size - 1])] if len(page) > size else []
        return pb.ListPriceBooksResponse(
            price_books=[wire.publication_out(each) for each in page[:size]],
            next_page_token=self._tokens.next_token(_QUERY, last),
        )


def _place(publication: Publication) -> int:
    return (publication.effective_at - _EPOCH) // _INSTANT
