"""Lists that are read page by page."""

from collections.abc import Iterable

_LARGEST_PAGE = 1_000


def page_of(names: Iterable[str], page_size: int, page_token: str) -> tuple[list[str], str]:
    """Answer the names of a page in order, and the token of the next one, empty after the last.

    A token is the last name of the page before, so that a list may change while it is read.
    """
    size = min(page_size, _LARGEST_PAGE) if page_size > 0 else _LARGEST_PAGE
    following = sorted(name for name in names if name > page_token)
    page = following[:size]
    return page, page[-1] if len(following) > size else ""
