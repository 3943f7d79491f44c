"""What catalogues write, in the words of `Movie`: columns, genres, languages, countries.

Knows names only. Does not know files or rows. Called by catalogs/fields.py; the documentation of
the column mapping is printed from `COLUMNS`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from retrieval.movie import GENRES, fold


def _table(text: str) -> dict[str, str]:
    """{name: word} of "word = name, name; ..."."""
    lines = (entry.partition("=") for entry in " ".join(text.split()).split(";"))
    return {name.strip(): word.strip() for word, _, names in lines for name in names.split(",")}


_COLUMNS = """
    movie_id = movie_id id movieId item_id tconst imdb_title_id;
    title = title name movie_title primaryTitle original_title;
    alt_titles = alt_titles alternative_titles aka original_title originalTitle;
    year = year release_year startYear title_year release_date;
    kind = kind type titleType;
    genres = genres genre ml_genres;
    directors = directors director director_name;
    cast = cast actors stars starring;
    runtime_min = runtime_min runtime runtimeMinutes duration minutes;
    language = language original_language languages language_code;
    country = country countries production_countries origin_country;
    certificate = certificate content_rating certification mpaa_rating mpaa rated;
    overview = overview plot description summary synopsis wiki_extract;
    themes = themes theme;
    moods = moods mood;
    keywords = keywords keyword plot_keywords tags;
    attributes = attributes;
    fame = fame;
    popularity = vote_count rating_count num_ratings numVotes votes num_voted_users
        ml1m_n popularity;
    rating = rating vote_average averageRating avg_rating imdb_rating imdb_score;
    imdb = imdb imdb_id imdbId tconst;
    tmdb = tmdb tmdb_id tmdbId;
    movielens = movielens movielens_id movieLensId;
    awards = awards;
    poster_url = poster_url poster;
    trailer_url = trailer_url trailer;
    available_on = available_on;
    predicted_tags = predicted_tags
"""
COLUMNS: Final = {
    field.strip(): tuple(columns.split())
    for field, _, columns in (entry.partition("=") for entry in _COLUMNS.split(";"))
}
"""Movie field <- column names, the first one with a value (all of them for `UNITED` fields);
case and spaces do not matter. `popularity` prefers a count of people, which is comparable within
a file, to TMDB's `popularity`, a snapshot of one day (catalogue_core mixes 2015 and 2022);
`ml1m_n` (raters in MovieLens 1M) is the only count that catalogue_core has for 690 older
films."""

UNITED: Final = frozenset({"genres", "alt_titles"})

MISSING: Final = frozenset(
    ["", "na", "n/a", "nan", "none", "null", "\\n", "-", "unknown", "undefined"]
    + ["(no genres listed)"]
)
"""What tables write for "not known", lower case."""

_TOLD_BY_KEYWORD: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("sport", "sports"), ("sport",)),
    **dict.fromkeys(("biography", "biopic", "biographical"), ("biography",)),
    **dict.fromkeys(("film noir", "noir", "neo noir"), ("noir",)),
    **dict.fromkeys(("historical", "period piece"), ("history",)),
    **{"musical": ("musical",), "suspense": ("thriller",)},
    **dict.fromkeys(("romantic comedy", "romcom"), ("romance", "comedy")),
}
"""Of 15,729 films in catalogue_core 17 have the genre sport, and 270 such a keyword."""

_GENRE_ALIASES: Final = _table(
    """
    action = action adventure; animation = animated, anime, cartoon; biography = biopic,
    biographical; comedy = comedies; documentary = docu, documentaries; drama = dramas; family =
    children, childrens, kids, family film; history = historical; musical = musicals; noir = film
    noir, neo noir; romance = romantic; science fiction = sci fi, scifi, sf, science fiction
    fantasy, sci fi fantasy; sport = sports; thriller = suspense; war = war politics
    """
)
_GENRES: Final = {**{g: g for g in GENRES}, **_GENRE_ALIASES}

_LANGUAGES: Final = _table(
    """
    af = afrikaans; ar = arabic, ara; bg = bulgarian; bn = bengali, ben; bo = tibetan; bs =
    bosnian; ca = catalan; cs = czech, ces, cze; cy = welsh; da = danish, dan; de = german, deu,
    ger; el = greek, ell, gre; en = english, eng; es = spanish, spa, castilian; et = estonian; eu
    = basque; fa = persian, farsi, fas; fi = finnish, fin; fr = french, fra, fre; ga = irish,
    gaelic; he = hebrew, heb, iw; hi = hindi, hin; hr = croatian; hu = hungarian, hun; hy =
    armenian; id = indonesian, ind; is = icelandic; it = italian, ita; iu = inuktitut; ja =
    japanese, jpn; ka = georgian; km = khmer; kn = kannada; ko = korean, kor; la = latin; lt =
    lithuanian; lv = latvian; ml = malayalam; mn = mongolian; mr = marathi; ms = malay; ne =
    nepali; nl = dutch, nld, dut, flemish; no = norwegian, nor, nb, nn; pa = punjabi; pl = polish,
    pol; pt = portuguese, por; ro = romanian; ru = russian, rus; si = sinhala; sk = slovak; sl =
    slovenian; sq = albanian; sr = serbian; sv = swedish, swe; sw = swahili; ta = tamil, tam; te =
    telugu, tel; th = thai, tha; tl = tagalog, filipino; tr = turkish, tur; uk = ukrainian, ukr;
    ur = urdu; vi = vietnamese, vie; yi = yiddish; zh = chinese, mandarin, cantonese, cn, zho,
    chi; zu = zulu
    """
)

_COUNTRIES: Final = _table(
    """
    AE = united arab emirates; AF = afghanistan; AL = albania; AM = armenia; AO = angola; AR =
    argentina; AT = austria; AU = australia; AW = aruba; AZ = azerbaijan; BA = bosnia and
    herzegovina; BD = bangladesh; BE = belgium; BG = bulgaria; BO = bolivia; BR = brazil; BS =
    bahamas; BT = bhutan; BW = botswana; BY = belarus; CA = canada; CH = switzerland; CL = chile;
    CM = cameroon; CN = china; CO = colombia; CU = cuba; CY = cyprus; CZ = czech republic,
    czechia, czechoslovakia; DE = germany, west germany, east germany; DK = denmark; DO =
    dominican republic; DZ = algeria; EC = ecuador; EE = estonia; EG = egypt; ES = spain; ET =
    ethiopia; FI = finland; FR = france; GB = uk, united kingdom, great britain, england,
    scotland, wales; GE = georgia; GH = ghana; GR = greece; GT = guatemala; HK = hong kong; HR =
    croatia; HU = hungary; ID = indonesia; IE = ireland; IL = israel; IN = india; IQ = iraq; IR =
    iran; IS = iceland; IT = italy; JM = jamaica; JO = jordan; JP = japan; KE = kenya; KH =
    cambodia; KP = north korea; KR = south korea, korea, republic of korea; KW = kuwait; KZ =
    kazakhstan; LA = laos; LB = lebanon; LK = sri lanka; LT = lithuania; LU = luxembourg; LV =
    latvia; LY = libya; MA = morocco; MK = north macedonia, macedonia; ML = mali; MN = mongolia;
    MT = malta; MX = mexico; MY = malaysia; MZ = mozambique; NG = nigeria; NL = netherlands; NO =
    norway; NP = nepal; NZ = new zealand; PA = panama; PE = peru; PH = philippines; PK = pakistan;
    PL = poland; PR = puerto rico; PS = palestine; PT = portugal; PY = paraguay; QA = qatar; RO =
    romania; RS = serbia, yugoslavia; RU = russia, russian federation, soviet union; RW = rwanda;
    SA = saudi arabia; SE = sweden; SG = singapore; SI = slovenia; SK = slovakia; SN = senegal; SY
    = syria; TH = thailand; TN = tunisia; TR = turkey, turkiye; TW = taiwan; TZ = tanzania; UA =
    ukraine; UG = uganda; US = usa, united states, united states of america, u s a; UY = uruguay;
    VE = venezuela; VN = vietnam; ZA = south africa; ZW = zimbabwe
    """
)
CODES: Final[Mapping[str, frozenset[str]]] = {
    "language": frozenset(fold(code) for code in _LANGUAGES.values()) | {"cn"},
    "country": frozenset(fold(code) for code in _COUNTRIES.values()),
}
"""Field -> every code of it, folded; "cn" is what TMDB calls Cantonese."""
_KINDS: Final[dict[str, str]] = {
    **{k: "movie" for k in ("movie", "film", "feature", "tvmovie", "tv movie", "short", "video")},
    **{k: "series" for k in ("series", "tv", "show", "tv show", "tvseries", "tv series")},
    **{k: "series" for k in ("tvminiseries", "tv mini series", "miniseries", "mini series")},
}

_UNRATED: Final = frozenset({"not rated", "unrated", "nr", "ur", "none"})


def genre(name: str) -> str | None:
    """The controlled genre, or None for what is no genre here ("IMAX", "TV Movie", "Foreign")."""
    return _GENRES.get(fold(name))


def told_genres(keywords: Iterable[str]) -> tuple[str, ...]:
    """The genres that most sources have no name for, and tell by keywords."""
    told = (_TOLD_BY_KEYWORD.get(fold(keyword), ()) for keyword in keywords)
    return tuple(dict.fromkeys(genre for genres in told for genre in genres))


def language(name: str) -> str | None:
    """ISO 639-1 of a code or an English name; None when it is neither."""
    key = fold(name)
    known = _LANGUAGES.get(key)
    return known or (key if len(key) == 2 and key.isalpha() and key != "xx" else None)


def country(name: str) -> str | None:
    """ISO 3166 alpha-2 of a code or an English name; None when it is neither."""
    known = _COUNTRIES.get(fold(name))
    code = name.strip().upper()
    return known or (code if len(code) == 2 and code.isascii() and code.isalpha() else None)


def kind(name: str) -> str | None:
    """`movie`, `series`, or None for other kinds of title."""
    return _KINDS.get(fold(name))


def certificate(name: str) -> str | None:
    """The certificate as written; None for "Not Rated" and the like."""
    return None if fold(name) in _UNRATED else name
