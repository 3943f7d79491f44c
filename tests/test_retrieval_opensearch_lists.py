"""List legs on OpenSearch without a server: what is asked, what is kept, what is never kept."""

from collections.abc import Sequence

from retrieval.index import Hits, ListLeg
from retrieval.opensearch.lists import KEPT_FITS, LONG, Listed, Lists, unknown_to

FILTER = {"term": {"x": "y"}}
NAMES = [f"m{number:04}" for number in range(2_000)]


def leg(names: Sequence[str], name: str = "listed") -> ListLeg:
    return ListLeg({movie_id: 1000.0 - at for at, movie_id in enumerate(names)}, name)


def searched(
    lists: Lists, legs: Sequence[ListLeg], there: set[str], k: int, partial: bool = False
) -> tuple[list[Hits], list[int]]:
    """The hits, and how many ids each request asked about."""
    fits = lists.fits(FILTER)
    asked = [Listed(one, lists.order(one.scores), fits, frozenset({"m0000"}), k) for one in legs]
    requests = []
    while unknown := unknown_to(asked):
        requests.append(len(unknown))
        for one in asked:
            one.take({i: i in there for i in unknown}, partial)
    return [one.result() for one in asked], requests


def test_lists_share_one_request_and_the_next_search_asks_nothing() -> None:
    lists, there = Lists(), set(NAMES[:100])
    legs = [leg(NAMES[:30], "a"), leg(NAMES[20:60], "b")]
    first, requests = searched(lists, legs, there, 10)
    assert [one.movie_ids for one in first] == [tuple(NAMES[1:11]), tuple(NAMES[20:30])]
    assert first[0].scores == tuple(1000.0 - at for at in range(1, 11))
    # Twice k of each list at first, those in both once, what is barred not at all.
    assert requests == [39]
    again, requests = searched(lists, legs, there, 10)
    assert (again, requests) == (first, [])


def test_a_hard_filter_is_asked_about_the_rest_once() -> None:
    lists, there = Lists(), set(NAMES[1500:1510])
    [hits], requests = searched(lists, [leg(NAMES)], there, 8)
    assert hits.movie_ids == tuple(NAMES[1500:1508])
    assert requests == [16, 1983]
    assert searched(lists, [leg(NAMES[1400:])], there, 8)[1] == []


def test_ids_that_are_gone_are_no_hits() -> None:
    [hits], _ = searched(Lists(), [leg(["m0001", "gone", "m0002"])], {"m0001", "m0002"}, 5)
    assert hits.movie_ids == ("m0001", "m0002")
    assert searched(Lists(), [leg(NAMES)], set(NAMES), 0)[1] == []


def test_a_partial_answer_is_told_and_never_kept() -> None:
    lists = Lists()
    [partial], _ = searched(lists, [leg(NAMES[1:5])], {"m0001"}, 5, partial=True)
    assert (partial.movie_ids, partial.degraded) == (("m0001",), True)
    [whole], requests = searched(lists, [leg(NAMES[1:5])], set(NAMES), 5)
    assert (whole.movie_ids, whole.degraded, requests) == (tuple(NAMES[1:5]), False, [4])


def test_orders_of_long_lists_are_kept_by_identity() -> None:
    lists = Lists()
    long = {movie_id: float(at % 7) for at, movie_id in enumerate(NAMES[:LONG])}
    order = lists.order(long)
    assert list(order) == sorted(long, key=lambda i: (-long[i], i))
    assert lists.order(long) is order
    assert lists.order(dict(long)) is not order
    other = dict.fromkeys(NAMES[:LONG], 1.0)
    assert list(lists.order(other)) == NAMES[:LONG]


def test_what_is_kept_has_a_bound() -> None:
    lists = Lists()
    lists.fits(FILTER).update({f"x{number}": True for number in range(KEPT_FITS + 1)})
    assert lists.fits(None) == {} and lists.fits(FILTER) == {}
