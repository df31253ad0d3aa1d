"""docs/errors.md, which is made from the ledger's own table."""

from devstack.error_page import PAGE, error_page
from shared.errors import DomainError
from wallet_service import errors


def test_the_page_is_what_the_tables_say() -> None:
    """The committed page equals the one made now: `make errors` makes it anew."""
    assert PAGE.read_text() == error_page()


def test_every_reason_has_its_rule() -> None:
    """Each reason that the module names is in exactly one table, with an error of the tree."""
    named = {value for name, value in vars(errors).items() if name.isupper() and name == value}
    rules = [*errors.POSTING_RULES, *errors.WALLET_RULES]
    assert sorted(rule.reason for rule in rules) == sorted(named)
    assert all(issubclass(rule.error, DomainError) for rule in rules)
