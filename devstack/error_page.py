"""`python -m devstack.error_page`: writes `docs/errors.md` from the services' own tables.

A test proves that the page is what the tables say.
"""

from collections.abc import Iterable
from pathlib import Path

import grpc

from shared.rpc_status import STATUS_CODES
from wallet_service.errors import POSTING_RULES, WALLET_RULES, Rule

PAGE = Path("docs/errors.md")

_HEAD = """\
# Errors

Made by `make errors` from `wallet_service/errors.py`; do not edit.

Every error carries one `google.rpc.ErrorInfo`: a stable reason, the domain `transaction-wallet`,
and the figures behind it as metadata. A field at fault is named in `google.rpc.BadRequest`.

| code | what to do |
|---|---|
| INVALID_ARGUMENT | Mend the field that is named. |
| NOT_FOUND, FAILED_PRECONDITION | The books do not allow it: decide anew, with a new request id. |
| ALREADY_EXISTS | Take another request id: this one did something else. |
| ABORTED | Somebody else was faster: read again, then repeat. |
| RESOURCE_EXHAUSTED, UNAVAILABLE | Repeat the request, after the time in `google.rpc.RetryInfo`. |
| INTERNAL | Tell us the id in the message: our log has it. |
"""

_POSTING = """
## Postings, in order of precedence

The first rule that is broken gives the reason. A refusal that is *kept* is the one outcome of its
request id: the same request gets it again, whatever came after. Another one may be sent again.
In a group the plan at fault gets its own reason; the others get the last one.
"""

_WALLETS = """
## Changes of wallets

Besides `REQUEST_ID_REUSED`, `WALLET_NOT_FOUND` and `WALLET_CLOSED`:
"""

_PRICES = """
## Price books, in order of precedence

None of these is kept: the same request may be sent again.

| reason | code | when |
|---|---|---|
| `REQUEST_ID_REUSED` | ALREADY_EXISTS | The id has published something else. |
| `PRICE_BOOK_VERSION_TAKEN` | ALREADY_EXISTS | The version is published, with other content. |
| `PRICE_BOOK_LIMIT_EXCEEDED` | FAILED_PRECONDITION | 20 versions are still to come. |
| `EFFECTIVE_TIME_PAST` | FAILED_PRECONDITION | Under 5 s ahead, or not after the last version's. |
| `PRICE_BOOK_NOT_FOUND` | NOT_FOUND | There is no such version, or none is in force. |
"""

_ANY_CALL = """
## Any call

| reason | code | when |
|---|---|---|
| `FIELD_INVALID` | INVALID_ARGUMENT | A field is malformed, missing or out of range. |
| `PRODUCT_UNKNOWN` | INVALID_ARGUMENT | The price book has no such product. |
| `QUOTE_INVALID` | INVALID_ARGUMENT | The quote is of another usage, or of nobody. |
| `QUOTE_EXPIRED` | FAILED_PRECONDITION | The quote is older than 15 minutes. |
| `PRICE_BOOK_MISSING` | FAILED_PRECONDITION | No price book is in force. |
| `PRICE_BELOW_WHOLESALE` | FAILED_PRECONDITION | A reseller would sell below what it pays. |
| `NOT_BELOW` | FAILED_PRECONDITION | What is assigned would not go down the enterprise's tree. |
| `NOT_ABOVE` | FAILED_PRECONDITION | What is unassigned would not go up the enterprise's tree. |
| `OVERLOADED` | RESOURCE_EXHAUSTED | Too much work is waiting. |
| `CONTENTION` | UNAVAILABLE | Too many batches met on the same rows. |
| `DATABASE_UNAVAILABLE` | UNAVAILABLE | The service's database does not answer. |
| `WALLET_UNAVAILABLE` | UNAVAILABLE | The Wallet service does not answer. |
| `SHUTTING_DOWN` | UNAVAILABLE | This process stops; others are there. |
| `INTERNAL` | INTERNAL | Nobody foresaw it. |
"""


def error_page() -> str:
    return (
        _HEAD
        + _POSTING
        + _table(("", "reason", "code", "when", "kept"), _posting_rows())
        + _WALLETS
        + _table(("reason", "code", "when"), (_row(rule) for rule in WALLET_RULES))
        + _PRICES
        + _ANY_CALL
    )


def _posting_rows() -> Iterable[tuple[str, ...]]:
    for number, rule in enumerate(POSTING_RULES, 1):
        yield (str(number), *_row(rule), "yes" if rule.kept else "no")


def _row(rule: Rule) -> tuple[str, str, str]:
    code: grpc.StatusCode = STATUS_CODES[rule.error.code]
    return f"`{rule.reason}`", code.name, rule.says


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [names, ("---",) * len(names), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(error_page())
