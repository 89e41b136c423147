"""The page that counts what is tried says what the tests try."""

from docs.faults import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m docs.faults"
