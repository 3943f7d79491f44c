"""The verifier of a model's prose: a sentence that names any other film, or leaks, is left out.

Knows which films and names may be spoken of (cards and conversation), how films look in text, and
how to cut a stream into sentences. Does not know who wrote the prose or what happens to it
(speak.py, explanations.py, model_decider.py). Pure.

It errs on the safe side: a sentence less costs little, an invented film costs trust. Films of the
catalogue are found by name; invented ones by their looks: quotation marks, a year in brackets,
capitals that nothing in the conversation explains.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from agent.ledger_labels import COUNTRIES, LANGUAGES
from retrieval.movie import Movie, fold
from retrieval.nlu.lexicon import LONGEST_TITLE, Lexicon, is_vocabulary
from retrieval.nlu.tokens import Token, tokenize
from retrieval.nlu.wording import STOPWORDS

SHINGLE = 6
"""Words in a row that prose shares with a system prompt only if it was copied."""
SMALL_NUMBERS = frozenset(str(n) for n in range(11))
ORDINARY_CAPITALS = frozenset(
    """i british american european african asian indian hollywood bollywood oscar oscars academy
    award awards cannes venice berlin sundance christmas halloween valentine easter monday tuesday
    wednesday thursday friday saturday sunday january february march april may june july august
    september october november december usher ok tv dvd cgi britain england scotland""".split()
) | frozenset(fold(name) for name in (*LANGUAGES.values(), *COUNTRIES.values()))
"""Words that English writes with a capital and that name no film."""
_MARKUP = re.compile(r"https?:|www\.|\]\(|<[a-zA-Z/!]|```|\{[\"{%]", re.IGNORECASE)
_YEAR = re.compile(r"[(\[]\s*(?:18|19|20|21)\d\d\s*[)\]]")
_QUOTED = re.compile(
    r"[\"“„«「『《]([^\"”“»」』》]{2,80})[\"”“»」』》]|\*{1,2}([^*]{2,80})\*{1,2}|(?<!\w)_([^_]{2,80})_(?!\w)"
)
_OPENERS = frozenset(
    """sorry hello hey hi thanks thank welcome unfortunately personally honestly hmm ah oh alas yes
    no absolutely sure okay glad happy certainly gladly nice cheers fair noted understood apologies
    sadly good great wonderful lovely perfect enjoy""".split()
)
_SAID_OF = frozenset("is was has would could will might may also and or by from with".split())
_NUMBER = re.compile(r"\d+")
_END = re.compile(r"[.!?…:][\"”’»)\]]*(?=\s)|[。！？：]|\n")
_OTHER_SCRIPT = re.compile(r"[぀-ヿ㐀-鿿가-힯؀-ۿऀ-ॿ฀-๿]")


def sentences(text: str) -> tuple[list[str], str]:
    """The whole sentences at the start of a text, and what is left."""
    found, start = [], 0
    for end in _END.finditer(text):
        cut = end.end()
        found.append(text[start:cut])
        start = cut
    return [s for s in found if s.strip()], text[start:]


@dataclass(frozen=True)
class FilmGuard:
    """Checks sentences against what may be spoken of."""

    films: Sequence[Movie]
    """Those on cards and in the conversation."""
    texts: Sequence[str]
    """Other texts whose names may be repeated, made from catalogue fields: wishes, reasons."""
    lexicon: Lexicon
    secrets: Sequence[str] = ()
    """Texts that must not be repeated: system prompts."""
    language: str = "en"
    refused: list[str] = field(default_factory=list)
    """Why sentences were left out, one word each."""
    before: list[str] = field(default_factory=list)
    """The last words looked at: a copied prompt may come in pieces of a few words."""

    def passes(self, sentence: str) -> bool:
        """Whether a sentence may be said."""
        problem = self.problem(sentence)
        self.before[:] = [*self.before, *fold(sentence).split()][-SHINGLE + 1 :]
        if problem:
            self.refused.append(problem)
        return problem is None

    def problem(self, sentence: str) -> str | None:
        """What is wrong with a sentence, in one word; None when it may be said."""
        if _MARKUP.search(sentence):
            return "markup"
        if self._leaks(sentence):
            return "leak"
        masked = self._masked(sentence)
        if _YEAR.search(masked):
            return "year"
        if any(not self._explained(quote) for quote in _quotes(masked)):
            return "quoted"
        if self._other_numbers(masked):
            return "number"
        tokens = tokenize(masked)
        if self._catalogue_title(tokens):
            return "title"
        if self._unexplained_capitals(masked, tokens):
            return "name"
        return None

    # --- what may be said ---

    @cached_property
    def _names(self) -> list[str]:
        """Names of the films that may be spoken of, longest first; also without a subtitle."""
        names = {n for m in self.films for n in (m.title, *m.alt_titles) if n.strip()}
        names |= {_unmoved(n) for n in names}
        names |= {main for n in names if len(main := n.partition(":")[0]) > 3}
        return sorted(names, key=len, reverse=True)

    @cached_property
    def _name_pattern(self) -> re.Pattern[str] | None:
        if not self._names:
            return None
        years = {str(m.year) for m in self.films if m.year}
        year = rf"(?:\s*[(\[](?:{'|'.join(sorted(years))})[)\]])?" if years else ""
        names = "|".join(re.escape(n) for n in self._names)
        return re.compile(
            rf"(?<!\w)[\"“*_«《『]*(?:{names})[\"”*_»》』]*{year}(?!\w)", re.IGNORECASE
        )

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """The words that explain a capital: people, tags, and what fields and wishes say.

        Not the words of titles: a title counts as a whole, or bait could hide another in it.
        """
        people = [p for m in self.films for p in (*m.directors, *m.cast)]
        tags = [t for m in self.films for t in (*m.genres, *m.moods, *m.themes)]
        return frozenset(_words([*people, *tags, *map(self._masked, self.texts)]))

    @cached_property
    def _numbers(self) -> frozenset[str]:
        facts = [str(n) for m in self.films for n in (m.year, m.runtime_min, m.rating) if n]
        texts = map(self._masked, self.texts)
        found = {n for text in (*facts, *texts) for n in _NUMBER.findall(text)}
        decades = {f"{str(m.year)[:3]}0" for m in self.films if m.year}
        decades |= {d[2:] for d in decades}
        return frozenset(found | decades) | SMALL_NUMBERS

    @cached_property
    def _shingles(self) -> frozenset[str]:
        return _shingles_of(tuple(self.secrets))

    def _masked(self, sentence: str) -> str:
        """The sentence without the films that may be named."""
        pattern = self._name_pattern
        return pattern.sub(" , ", sentence) if pattern else sentence

    def _explained(self, phrase: str) -> bool:
        return all(word in self._vocabulary or word in STOPWORDS for word in fold(phrase).split())

    # --- what must not be said ---

    def _leaks(self, sentence: str) -> bool:
        return not self._shingles.isdisjoint(_shingled(" ".join((*self.before, sentence))))

    def _other_numbers(self, masked: str) -> bool:
        return any(n not in self._numbers for n in _NUMBER.findall(masked))

    def _catalogue_title(self, tokens: Sequence[Token]) -> bool:
        """Whether a film of the catalogue is named that is neither on a card nor spoken of."""
        for n in range(min(LONGEST_TITLE, len(tokens)), 0, -1):
            for i in range(len(tokens) - n + 1):
                if self._is_title(tokens[i : i + n], at_start=i == 0):
                    return True
        return False

    def _is_title(self, span: Sequence[Token], at_start: bool) -> bool:
        key = " ".join(t.folded for t in span)
        if key not in self.lexicon.titles and key not in self.lexicon.franchises:
            return False
        if self._explained(key) or is_vocabulary(key) or key in self.lexicon.tags:
            return False
        content = [t for t in span if t.folded not in STOPWORDS]
        if self.lexicon.is_telling(key) and len(content) > 1:
            return True
        # A plain word or two: a title if it stands out, and by more than its place.
        stands_out = bool(content) and all(t.capital for t in content)
        return stands_out and key not in ORDINARY_CAPITALS and not (at_start and len(span) == 1)

    def _unexplained_capitals(self, masked: str, tokens: Sequence[Token]) -> bool:
        """Whether capitals remain that nothing explains: the look of a name that was made up."""
        if _OTHER_SCRIPT.search(masked):
            return False  # no capitals there; marks and Latin titles were looked at before
        run = 0
        for i, token in enumerate(tokens):
            strange = token.capital and not self._ordinary(token)
            follows = i > 0 and not masked[tokens[i - 1].end : token.start].strip(" -–’'")
            run = (run if follows else 0) + 1 if strange else 0
            if self.language == "en" and strange and (i > 0 or self._is_subject(tokens)):
                return True
            # Other languages write more words with a capital; the first word has one anyway.
            if run - (run == i + 1) >= 2:
                return True
        return False

    def _is_subject(self, tokens: Sequence[Token]) -> bool:
        """Whether the first word looks like a film that something is said about."""
        word = tokens[0].folded
        named = word in self.lexicon.titles or word not in self.lexicon.known
        return (
            named
            and word not in _OPENERS
            and (
                word not in self.lexicon.common
                or (len(tokens) > 1 and tokens[1].folded in _SAID_OF)
            )
        )

    def _ordinary(self, token: Token) -> bool:
        word = token.folded
        return (
            word in self._vocabulary
            or word in ORDINARY_CAPITALS
            or word in STOPWORDS
            or is_vocabulary(word)
            or word.removesuffix("s") in self._vocabulary
        )


def _quotes(text: str) -> Iterator[str]:
    for match in _QUOTED.finditer(text):
        yield next(group for group in match.groups() if group is not None)


def _unmoved(title: str) -> str:
    """A title with its article in front, as people say it."""
    return re.sub(r"^(.*), (The|A|An)$", r"\2 \1", title)


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for word in fold(text).split():
            yield word
            yield from word.split("'")


@lru_cache(maxsize=4)
def _shingles_of(secrets: tuple[str, ...]) -> frozenset[str]:
    """Every guard of a process keeps the same prompts secret."""
    return frozenset(s for secret in secrets for s in _shingled(secret))


def _shingled(text: str) -> Iterator[str]:
    tokens = fold(text).split()
    for i in range(len(tokens) - SHINGLE + 1):
        yield " ".join(tokens[i : i + SHINGLE])
