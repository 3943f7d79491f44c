"""The text of a movie that the encoder reads.

Knows which fields tell most about a film and keeps to what MiniLM reads (128 word pieces, about
90 words). Does not know encoders or indexes. Called by retrieval/jobs/ and wherever one movie is
upserted; a change here changes every vector, so every index is encoded anew.
"""

from retrieval.movie import Movie

OVERVIEW_WORDS = 60
TAGS = 8
"""Moods, themes and keywords together."""
ACTORS = 4


def document(movie: Movie) -> str:
    """Title, year, genres, people, tags and the first sentences of the overview."""
    parts = [movie.label()]
    if movie.genres:
        parts.append(", ".join(movie.genres))
    tags = dict.fromkeys((*movie.moods, *movie.themes, *movie.keywords))
    if tags:
        parts.append(", ".join(list(tags)[:TAGS]))
    if movie.directors:
        parts.append(f"Directed by {', '.join(movie.directors[:2])}")
    if movie.cast:
        parts.append(f"Starring {', '.join(movie.cast[:ACTORS])}")
    if movie.overview:
        parts.append(" ".join(movie.overview.split()[:OVERVIEW_WORDS]))
    return ". ".join(parts)
