"""Catalogues of every format, good, odd and broken."""

import builtins
import csv
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from retrieval.catalog import (
    FORMATS,
    BadRow,
    Format,
    ReadReport,
    open_catalogue,
    read_mapping,
)
from retrieval.catalogs.fields import natural_title
from retrieval.catalogs.sources import CatalogError, split_title
from retrieval.movie import GENRES, Movie, PredictedTag

HEAT: dict[str, Any] = {"movie_id": "a", "title": "Heat", "year": 1995}


def read(
    path: Path, format: Format = "auto", mapping: Mapping[str, str] | None = None
) -> tuple[list[Movie], ReadReport]:
    report = ReadReport()
    return list(open_catalogue(path, format, mapping).movies(report)), report


def jsonl(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def one(tmp_path: Path, **fields: Any) -> Movie:
    [movie], report = read(jsonl(tmp_path / "c.jsonl", [{**HEAT, **fields}]))
    assert not report.bad
    return movie


# --- Usher JSON lines ---------------------------------------------------------------------------


def test_every_field_of_a_movie_is_read(tmp_path: Path) -> None:
    row = {
        **{"movie_id": 7, "title": " The  Title ", "alt_titles": ["Other"], "year": 1999},
        **{"kind": "series", "genres": ["Sci-Fi", "Drama"], "directors": ["A"], "cast": ["B", "C"]},
        **{"runtime_min": 50, "language": "en", "country": "US", "certificate": "TV-14"},
        **{"overview": "Text.", "themes": ["t"], "moods": ["m"], "keywords": ["k"]},
        **{"attributes": {"violence": 3, "pace": 0}, "fame": 4, "popularity": 12.5, "rating": 7.5},
        **{"imdb": "tt0000007", "tmdb": 8, "movielens": 9, "awards": ["Best"]},
        **{"poster_url": "https://p", "trailer_url": "https://t"},
        **{"available_on": {"us": ["Netflix"]}},
        **{"predicted_tags": [{"kind": "mood", "name": "dark", "p": 0.5}]},
    }
    [movie], report = read(jsonl(tmp_path / "c.jsonl", [row]))
    assert (report.rows, report.kept, report.bad, report.unused) == (1, 1, [], set())
    told: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in row.items()}
    told |= {"movie_id": "7", "title": "The Title", "genres": ("science fiction", "drama")}
    told |= {"country": ("US",), "available_on": {"US": ("Netflix",)}}
    told |= {"predicted_tags": (PredictedTag("mood", "dark", 0.5),)}
    assert movie == Movie(**told)


def test_gzip_and_byte_order_mark(tmp_path: Path) -> None:
    line = "\ufeff" + json.dumps(HEAT) + "\n\n"
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress(line.encode()))
    for name in ("c.jsonl.gz", "packed.jsonl"):
        assert read(tmp_path / name)[0][0].title == "Heat"


def test_bad_rows_are_reported_and_skipped(tmp_path: Path) -> None:
    lines = [
        *(json.dumps(HEAT), "not json", "[1, 2]", "", json.dumps({"title": "No id"})),
        *(json.dumps({"movie_id": "b"}), json.dumps({**HEAT, "title": "Again"})),
        json.dumps({"movie_id": "c", "title": "C", "year": "soon"}),
        json.dumps({"movie_id": "d", "title": "D", "attributes": {"violence": 4}}),
        json.dumps({"movie_id": "e", "title": "E", "rating": "NaN"}),
    ]
    (tmp_path / "c.jsonl").write_text("\n".join(lines))
    movies, report = read(tmp_path / "c.jsonl")
    assert [m.movie_id for m in movies] == ["a", "e"]
    assert movies[1].rating is None
    assert (report.rows, report.kept, report.bad_count) == (9, 2, 7)
    reasons = {bad.row: bad.reason for bad in report.bad}
    assert reasons[2] == "is not JSON"
    assert reasons[3] == "is not a JSON object"
    assert reasons[5] == "no movie_id"
    assert reasons[6] == "no title"
    assert reasons[7] == "movie_id a was already given"
    assert reasons[8] == "year: holds no year ('soon')"
    assert reasons[9].startswith("attributes: violence is not within 0-3")


def test_unknown_keys_keep_the_row_and_are_named_once(tmp_path: Path) -> None:
    rows = [{**HEAT, "colour": "red"}, {"movie_id": "b", "title": "B", "colour": 1, "shape": 2}]
    movies, report = read(jsonl(tmp_path / "c.jsonl", rows))
    assert (len(movies), report.unused) == (2, {"colour", "shape"})


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("country", "USA", ("US",)),
        ("country", ["United Kingdom", "fr", "Official site"], ("GB", "FR")),
        ("language", "French", "fr"),
        ("language", "cn", "zh"),
        ("language", "xx", None),
        ("certificate", "Not Rated", None),
        ("certificate", "PG-13", "PG-13"),
        ("genres", ["Children", "Film-Noir", "IMAX", "TV Movie", "children"], ("family", "noir")),
        ("genres", "Action, Sci-Fi", ("action", "science fiction")),
        ("keywords", "one|two, three", ("one", "two, three")),
        ("keywords", '["a", {"id": 1, "name": "b"}]', ("a", "b")),
        ("keywords", "[{'id': 1, 'name': 'it\\'s'}]", ("it's",)),
        ("imdb_id", "0109830", "tt0109830"),
        ("imdb", 109830, "tt0109830"),
        ("imdb", "tt10954984", "tt10954984"),
        ("runtime", "95 min", 95),
        ("runtime", 0, None),
        ("runtime_min", 95.0, 95),
        ("release_date", "1999-03-30", 1999),
        ("release_date", "3/30/99 (1999)", 1999),
        ("votes", "12,345", 12345.0),
        ("vote_count", 0, None),
        ("overview", " a\u0000b\n c\ud83d", "a b c?"),
        ("cast", "N/A", ()),
        ("title", "None", "None"),
    ],
)
def test_values_are_understood(tmp_path: Path, field: str, value: Any, expected: Any) -> None:
    row = {**HEAT, field: value}
    if field == "release_date":
        del row["year"]
    names = {"runtime": "runtime_min", "imdb_id": "imdb", "release_date": "year"}
    counts = {"votes": "popularity", "vote_count": "popularity"}
    [movie], report = read(jsonl(tmp_path / "c.jsonl", [row]))
    assert getattr(movie, {**names, **counts}.get(field, field)) == expected
    assert not report.bad


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("year", 1492), ("year", "99"), ("year", 19.5), ("runtime_min", -5), ("rating", 11)),
        *(("rating", True), ("fame", 6), ("fame", 2.5), ("kind", "game"), ("imdb", "nm0000001")),
        *(("popularity", -1), ("genres", 7), ("genres", "[broken"), ("overview", ["text"])),
        *(("attributes", [1]), ("attributes", {"violence": "much"}), ("available_on", "Netflix")),
        *(("predicted_tags", [{"kind": "genre", "name": "x", "p": 1}]), ("tmdb", "abc")),
        *(("predicted_tags", [{"name": "x"}]), ("year", 1e400), ("title", "x" * 501)),
    ],
)
def test_values_that_refuse_a_row(tmp_path: Path, field: str, value: Any) -> None:
    rows = [{"movie_id": "good", "title": "Good"}, {**HEAT, field: value}]
    movies, report = read(jsonl(tmp_path / "c.jsonl", rows))
    assert [m.movie_id for m in movies] == ["good"]
    assert [(bad.row, bad.reason.split(":")[0].split(" ")[0]) for bad in report.bad] == [
        (2, "movie_id" if field == "title" else field)
    ]


def test_a_second_title_stands_in_for_an_empty_one(tmp_path: Path) -> None:
    assert one(tmp_path, title="", alt_titles=["Untitled"]).title == "Untitled"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Matrix, The", "The Matrix"),
        ("Good, the Bad and the Ugly, The", "The Good, the Bad and the Ugly"),
        ("Librarian, The: The Judas Chalice", "The Librarian: The Judas Chalice"),
        ("Avventura, L'", "L'Avventura"),
        *((title, title) for title in ("Girl, Interrupted", "I, Robot", "The Matrix")),
    ],
)
def test_articles_stand_in_front(written: str, said: str) -> None:
    assert natural_title(written) == said


# --- tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_other_column_names(tmp_path: Path, delimiter: str) -> None:
    rows = [
        {"Id": "1", "Name": "One", "Release Year": "1999", "Genre": "Comedy|Drama", "MPAA": "R"},
        {"Id": "2", "Name": "Zwölf", "Release Year": "", "Genre": "(no genres listed)", "MPAA": ""},
    ]
    movies, report = read(table(tmp_path / "films.csv", rows, delimiter))
    assert movies == [
        Movie("1", "One", (), 1999, "movie", ("comedy", "drama"), certificate="R"),
        Movie("2", "Zwölf", kind="movie"),
    ]
    assert not report.unused


def test_csv_rows_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,title\n1,One\n2,Two,extra\n3\n\n4,Four\n")
    movies, report = read(tmp_path / "c.csv")
    assert [m.movie_id for m in movies] == ["1", "4"]
    assert report.bad == [
        BadRow(3, "3 cells, the header has 2"),
        BadRow(4, "1 cells, the header has 2"),
    ]


def test_a_mapping_names_columns(tmp_path: Path) -> None:
    path = table(tmp_path / "c.csv", [{"nr": "1", "film_name": "One", "title": "wrong"}])
    with pytest.raises(CatalogError, match=r"no column for movie_id .* give a mapping"):
        read(path)
    (tmp_path / "map.json").write_text('{"movie_id": "nr", "title": "film_name"}')
    mapping = read_mapping(tmp_path / "map.json")
    movies, report = read(path, mapping=mapping)
    assert (movies[0].title, report.unused) == ("One", {"title"})


@pytest.mark.parametrize("content", ["", "[1]", '{"title": 3}', '{"titel": "x"}', "{"])
def test_a_broken_mapping_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "map.json").write_text(content)
    with pytest.raises(CatalogError, match=r"map\.json"):
        read_mapping(tmp_path / "map.json")


def test_parquet_with_lists_and_missing_values(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "films.parquet"
    duckdb.sql(
        "select * from (values ('a', 'One', 1999::bigint, ['Drama'], 'NaN'::double, 7.5),"
        " ('b', 'Two', null, [], 3.0, null)) t(movie_id, title, year, genres, runtime, rating)"
    ).write_parquet(str(path))
    movies, report = read(path)
    assert movies == [
        Movie("a", "One", (), 1999, "movie", ("drama",), rating=7.5),
        Movie("b", "Two", kind="movie", runtime_min=3),
    ]
    assert open_catalogue(path).total() == 2
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(CatalogError, match="not a readable Parquet file"):
        read(tmp_path / "bad.parquet")


def test_parquet_without_duckdb_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "films.parquet").write_bytes(b"PAR1")
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CatalogError, match=r"pip install 'usher\[parquet\]'"):
        read(tmp_path / "films.parquet")


# --- MovieLens and TMDB -------------------------------------------------------------------------


def test_movielens_folder(tmp_path: Path) -> None:
    title = "City of Lost Children, The (Cité des enfants perdus, La) (1995)"
    genres = "Children|Film-Noir|(no genres listed)"
    table(tmp_path / "movies.csv", [{"movieId": "29", "title": title, "genres": genres}])
    table(tmp_path / "links.csv", [{"movieId": "29", "imdbId": "0112682", "tmdbId": "902"}])
    tags = [("1", "Dark"), ("2", "dark"), ("2", "odd")]
    table(tmp_path / "tags.csv", [{"userId": u, "movieId": "29", "tag": t} for u, t in tags])
    ratings = [{"userId": u, "movieId": "29", "rating": "4.0"} for u in range(5)]
    table(tmp_path / "ratings.csv", ratings)
    [movie], report = read(tmp_path)
    assert movie == Movie(
        *("29", "The City of Lost Children", ("La Cité des enfants perdus",), 1995, "movie"),
        genres=("family", "noir"),
        keywords=("dark", "odd"),
        popularity=5,
        rating=8.0,
        imdb="tt0112682",
        tmdb=902,
        movielens=29,
    )
    assert open_catalogue(tmp_path).format == "movielens"
    assert read(tmp_path / "movies.csv", "movielens")[0] == [movie]


def test_movielens_1m_folder(tmp_path: Path) -> None:
    lines = (
        "1::Misérables, Les (1995)::Drama|Musical\nbroken\n2::Seven (a.k.a. Se7en) (1995)::Crime\n"
    )
    (tmp_path / "movies.dat").write_bytes(lines.encode("latin-1"))
    (tmp_path / "ratings.dat").write_text("1::1::4::0\n2::1::5::0\n")
    movies, report = read(tmp_path)
    assert [m.title for m in movies] == ["Les Misérables", "Seven"]
    assert movies[1].alt_titles == ("Se7en",)
    assert (movies[0].popularity, movies[0].rating) == (2, None)
    assert report.bad == [BadRow(2, "is not id::title::genres")]


def test_titles_of_movielens() -> None:
    for title in ("(Untitled)", "(500) Days of Summer", "You Can (Not) Redo"):
        assert split_title(f"{title} (2009)") == {"title": title, "alt_titles": [], "year": "2009"}
    assert split_title("Babylon 5")["year"] is None
    assert split_title("Das Boot (1981–)")["year"] == "1981"


def test_tmdb_folder(tmp_path: Path) -> None:
    movie = {
        **{"id": "603", "title": "The Matrix", "release_date": "1999-03-30", "runtime": "136.0"},
        **{"genres": '[{"id": 28, "name": "Action"}]', "original_language": "en"},
        **{"production_countries": '[{"iso_3166_1": "US", "name": "United States of America"}]'},
        **{"keywords": '[{"id": 1, "name": "hacker"}]', "popularity": "60.1", "vote_count": "9000"},
        **{"vote_average": "8.1", "original_title": "The Matrix", "budget": "63000000"},
    }
    unseen = {**movie, "id": "9", "title": "Unseen", "vote_count": "0", "vote_average": "0.0"}
    broken = {**movie, "id": "1997-08-20", "runtime": "n.a.!"}
    table(tmp_path / "tmdb_5000_movies.csv", [movie, unseen, broken])
    crew = '[{"job": "Editor", "name": "Ed"}, {"job": "Director", "name": "Lana Wachowski"}]'
    cast = '[{"name": "Keanu Reeves", "order": 0}]'
    credits = {"movie_id": "603", "title": "The Matrix", "cast": cast, "crew": crew}
    table(tmp_path / "tmdb_5000_credits.csv", [credits])
    [matrix, other], report = read(tmp_path)
    assert matrix == Movie(
        *("603", "The Matrix", (), 1999, "movie", ("action",), ("Lana Wachowski",)),
        cast=("Keanu Reeves",),
        runtime_min=136,
        language="en",
        country=("US",),
        keywords=("hacker",),
        popularity=9000.0,
        rating=8.1,
        tmdb=603,
    )
    assert (other.rating, other.directors) == (None, ())
    assert [bad.row for bad in report.bad] == [4]
    assert "budget" in report.unused


# --- what is no catalogue -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("c.jsonl", b"", "is empty"),
        ("c.jsonl", b'{"movie_id": "a", "title": "\xe9"}\n', "not UTF-8"),
        ("c.csv", b"id,title\n1,caf\xe9\n", "not UTF-8"),
        ("c.csv", b"\n\n", "is empty"),
        ("c.jsonl.gz", b"not gzip", "broken gzip"),
        ("c.jsonl.gz", gzip.compress(json.dumps(HEAT).encode() * 50)[:-12], "broken gzip"),
        ("c.csv", b"colour,shape\nred,round\n", "no column for movie_id and title"),
        ("c.csv", b"id,title\n", "no usable movie"),
        ("c.jsonl", b'{"movie_id": 1}\n', r"no usable movie \(row 1: no title\)"),
        ("c.bin", bytes(range(256)), "not UTF-8"),
    ],
)
def test_a_broken_file_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogError, match=says) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_places_that_are_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="does not exist"):
        open_catalogue(tmp_path / "nowhere")
    with pytest.raises(CatalogError, match="holds 0 catalogue files"):
        open_catalogue(tmp_path)
    with pytest.raises(CatalogError, match=r"neither movies\.csv"):
        open_catalogue(tmp_path, "movielens")
    jsonl(tmp_path / "a.jsonl", [HEAT])
    assert open_catalogue(tmp_path).path == tmp_path / "a.jsonl"
    jsonl(tmp_path / "b.jsonl", [HEAT])
    with pytest.raises(CatalogError, match="holds 2 catalogue files"):
        open_catalogue(tmp_path)
    assert open_catalogue(jsonl(tmp_path / "movies.jsonl", [HEAT] * 12).parent).total() == 12
    with pytest.raises(CatalogError, match=", ".join(FORMATS)):
        open_catalogue(tmp_path, "xml")  # type: ignore[arg-type]


def test_genres_are_the_controlled_ones(tmp_path: Path) -> None:
    assert one(tmp_path, genres=list(GENRES)).genres == GENRES
