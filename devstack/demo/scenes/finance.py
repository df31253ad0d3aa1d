"""What finance got, and whether it is what the ledger has."""

from collections.abc import Iterator, Sequence

from devstack.demo.books import Books
from devstack.demo.documents import Document
from devstack.demo.finance import by_merchant, by_product, profits_of
from devstack.demo.scenes.scene import Names, Scene
from devstack.demo.tables import finance, wallets


def scenes_of_finance(books: Books, names: Names) -> Iterator[Scene]:
    """Give what finance got of it, and the books at the end."""
    yield from _incident(books)
    yield Scene(
        "What finance has, in Firestore",
        "Each movement came through Pub/Sub and became one balanced document. Bookings and "
        "cancellations move nothing; refusals and repeats leave no trace.",
        (finance.documents(books.documents, names),),
    )
    yield from _statements(books, names)
    yield Scene(
        "An operator reconciles the ledger with the documents",
        "`walletctl reconcile` compares each event with its document, and the sums of both: debits "
        "are positive, credits negative, each asset sums to zero.",
        (
            finance.differences(books.reconciliation),
            finance.trial_balance(books.reconciliation.ledger, books.reconciliation.told),
        ),
    )
    yield from _profits(books.documents, names)


def _incident(books: Books) -> Iterator[Scene]:
    yield Scene(
        "A back office tops up for the person, and its event does not say of which kind it is",
        "The ledger has the money; the sink cannot take the event, and puts it among the dead "
        "letters with its reason. All others go on.",
        (finance.dead_letter(books.letter),),
    )
    yield Scene(
        "The dead letter is mended, and replayed",
        "A document is created only where there is none: a replay is safe, however often.",
        (finance.replay(books.letter.event_id, books.before_replay, books.documents),),
    )


def _statements(books: Books, names: Names) -> Iterator[Scene]:
    for each in books.audit.statements:
        yield Scene(
            f"The statement of the {names[each.wallet_id]}",
            "Opening balance plus entries is the closing balance, always.",
            (wallets.statement(each),),
        )


def _profits(documents: Sequence[Document], names: Names) -> Iterator[Scene]:
    products = profits_of(documents, by_product)
    yield Scene(
        "Profit and loss by product, from the documents",
        "A product paid in units earns units, while its cost is money. Tax and margins are the "
        "customer's money too, and not the house's.",
        (
            finance.profit_and_loss("product", products, names),
            finance.passed_on("product", products, names),
        ),
    )
    merchants = profits_of(documents, by_merchant)
    yield Scene(
        "Profit and loss by merchant, from the documents",
        "Each document says the whole path of its wallet.",
        (
            finance.profit_and_loss("merchant", merchants, names),
            finance.passed_on("merchant", merchants, names),
        ),
    )
