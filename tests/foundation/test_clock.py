import re

from service.foundation import clock


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    """Ids have a prefix and 26 digits, and those of a later millisecond are greater."""
    ids = [clock.new_id("ext") for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"ext_[0-9a-hjkmnp-tv-z]{26}", id) for id in ids)
    stamps = [id[:14] for id in ids]
    assert stamps == sorted(stamps)


def test_now_is_aware() -> None:
    """The present has a zone."""
    assert clock.now().tzinfo is not None
