"""What every MovieIndex says of changes since a revision, for tables that follow the index.

A mixin like `MovieIndexContract`, whose fixtures it takes.
"""

from dataclasses import replace

from contracts_index import ROWS, vector
from retrieval.index import Changed, MovieIndex, Row
from retrieval.movie import Movie


def changed(*movie_ids: str, knowledge: bool = False) -> Changed:
    return Changed(frozenset(movie_ids), knowledge)


class ChangesContract:
    """Over a fixture `filled`."""

    async def test_nothing_changed(self, filled: MovieIndex) -> None:
        assert await filled.changed_since(await filled.revision()) == changed()

    async def test_what_was_put_and_deleted_is_named(self, filled: MovieIndex) -> None:
        first = await filled.revision()
        await filled.upsert([Row(replace(ROWS[0].movie, title="Other"), ROWS[0].vector)])
        second = await filled.revision()
        await filled.upsert([Row(Movie("new", "New"), vector(1.0))])
        await filled.delete(["m2", "new"])
        assert await filled.changed_since(first) == changed("m1", "m2", "new")
        assert await filled.changed_since(second) == changed("m2", "new")
        assert (await filled.get(["m1", "m2", "new"])).keys() == {"m1"}

    async def test_knowledge_is_told_apart(self, filled: MovieIndex) -> None:
        first = await filled.revision()
        await filled.put_knowledge("neighbours", b"one", "sha-one")
        second = await filled.revision()
        await filled.delete(["m1"])
        assert await filled.changed_since(first) == changed("m1", knowledge=True)
        assert await filled.changed_since(second) == changed("m1")

    async def test_of_a_foreign_revision_nothing_is_said(self, filled: MovieIndex) -> None:
        assert await filled.changed_since("000009-ffffffff.3") is None
        generation, _, counter = (await filled.revision()).rpartition(".")
        assert await filled.changed_since(f"{generation}.{int(counter) + 1}") is None

    async def test_after_a_long_gap_nothing_is_said(self, filled: MovieIndex) -> None:
        first = await filled.revision()
        for n in range(20):
            await filled.upsert([Row(Movie(f"n{n}", f"New {n}"), vector(1.0))])
            await filled.revision()
        assert await filled.changed_since(first) is None
