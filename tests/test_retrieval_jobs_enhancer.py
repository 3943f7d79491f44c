"""Training data and training of the enhancer: what is made, what is refused, how it begins."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.jobs.build_index import STARTER
from retrieval.jobs.calibrate import calibration_of
from retrieval.jobs.make_requests import (
    INTENTS,
    LabelledRequest,
    Names,
    make_requests,
    phrases,
    spoken,
)
from retrieval.jobs.training_checks import (
    TrainingDataRefused,
    check_pairs,
    check_requests,
)
from retrieval.jobs.training_films import facts_of
from retrieval.jobs.training_pairs import (
    ARCHETYPE,
    NEIGHBOUR,
    Pair,
    neighbour_pairs,
    read_pairs,
    reworded,
    write_pairs,
)
from retrieval.movie import Movie

NAMES = Names(
    ["Blade Runner", "Platoon", "Shrek"], ["Tom Hanks"], ["submarines", "chess"], ["a man waits"]
)

SLOTS = {
    "title",
    "person",
    "surname",
    "topic",
    "plot",
    "kin",
    "place",
    "language",
    "decade",
    "year",
}

REFUSED_AND_MARKED = re.compile(r"\b(no|not an?|not that|less|nothing|no \w+ than) \*")


def words(text: str) -> int:
    return len(text.split())


def requests(count: int, seed: int = 0) -> list[LabelledRequest]:
    return make_requests(count, NAMES, random.Random(seed))


# --- requests -------------------------------------------------------------------------------------


def test_requests_differ_are_labelled_and_filled() -> None:
    made = requests(600)
    assert made == requests(600)
    assert made != requests(600, seed=1)
    assert len({one.text for one in made}) == 600
    for intent in INTENTS:
        assert sum(intent in one.intents for one in made) > 60
    assert sum(not one.intents for one in made) > 30
    assert not [one for one in made if set("{}*") & set(one.text)]


def test_telling_words_stand_in_the_text() -> None:
    for one in requests(400):
        assert all(word in one.text for word in one.marked), one
        assert one.intents or not one.marked


def test_what_is_rejected_is_never_marked() -> None:
    for intent in INTENTS:
        forms = phrases()[intent]
        assert not [p for p in (*forms["no_tail"], *forms["no_clause"]) if "*" in p]
    assert not [p for p in (*phrases()["none"], *phrases()["background"]) if "*" in p]
    assert not [text for text, _ in spoken() if REFUSED_AND_MARKED.search(text)]


def test_whole_requests_stand_once_and_mark_nothing_without_an_intent() -> None:
    said = [text for text, _ in spoken()]
    assert len(said) == len(set(said)) > 1000
    assert not [text for text, intents in spoken() if not intents and "*" in text]
    for text, _ in spoken():
        assert text.count("*") % 2 == 0, text
        assert set(re.findall(r"{(\w+)}", text)) <= SLOTS, text
    for intent in INTENTS:
        assert sum(intent in intents for _, intents in spoken()) > 150


# --- pairs ----------------------------------------------------------------------------------------


def test_neighbour_pairs_never_name_the_film_of_the_list() -> None:
    lists = {f"f{n}": [f"m{n}-{i}" for i in range(15)] for n in range(30)}
    for pair in neighbour_pairs(lists, random.Random(0)):
        assert pair.group not in pair.seeds
        assert pair.group in pair.films
        assert not set(pair.seeds) & set(pair.films)


def test_pairs_survive_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = [Pair("dialogue", "d1", "a film", ("a", "b"), ("a",), ("c",))]
    write_pairs(made, tmp_path / "pairs.jsonl")
    assert read_pairs(tmp_path / "pairs.jsonl") == made


def test_rewording_keeps_negations() -> None:
    rng = random.Random(0)
    text = "a good scary movie, not gory"
    for other in (reworded(text, rng) for _ in range(200)):
        assert other.split().index("not") + 1 < len(other.split())
    assert len({reworded(text, rng) for _ in range(50)}) > 10


def test_only_facts_of_a_catalogue_are_read() -> None:
    movie = Movie("m1", "Heat", year=1995, overview="Words.", keywords=("k",), moods=("tense",))
    bare = facts_of(movie)
    assert (bare.title, bare.year) == ("Heat", 1995)
    assert not (bare.overview or bare.keywords or bare.moods or bare.themes or bare.attributes)


# --- what is refused ------------------------------------------------------------------------------


def good_pairs() -> list[Pair]:
    sources = (ARCHETYPE, NEIGHBOUR)
    return [Pair(sources[n % 2], f"g{n}", f"request {n}", (), (), (f"m{n}",)) for n in range(1200)]


def test_good_data_pass() -> None:
    check_pairs({"train": good_pairs()}, words)
    made = requests(3100)
    check_requests({"train": made[:3000], "held": made[3000:]}, words)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda pairs: pairs[:900], "fewer than 1,000"),
        (
            lambda pairs: (
                [p for p in pairs if p.source == ARCHETYPE] * 12
                + [p for p in pairs if p.source == NEIGHBOUR]
            ),
            "more than 10 : 1",
        ),
        (lambda pairs: [*pairs, replace(pairs[0], text="word " * 501)], "more than 500 tokens"),
    ],
)
def test_bad_pairs_are_refused(spoil, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TrainingDataRefused, match=reason):
        check_pairs({"train": spoil(good_pairs())}, words)


def test_groups_and_texts_in_two_splits_are_refused() -> None:
    pairs = good_pairs()
    with pytest.raises(TrainingDataRefused, match="'g0' is in"):
        check_pairs({"train": pairs, "held": [replace(pairs[0], text="other")]}, words)
    made = requests(3100)
    twin = replace(made[5], text=made[5].text.upper() + " !")
    with pytest.raises(TrainingDataRefused, match="is in train and in held"):
        check_requests({"train": made, "held": [twin]}, words)


# --- calibration and networks ---------------------------------------------------------------------


def test_calibration_recovers_probabilities() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5)).astype(np.float32)
    true = rng.random((4000, 5)) < 1 / (1 + np.exp(-(0.5 * logits - 0.7)))
    found = calibration_of(logits, true)
    assert np.allclose(found.scale, 0.5, atol=0.06)
    assert np.allclose(found.shift, -0.7, atol=0.12)
    assert np.all(np.diff(found.confidence) >= 0) and np.all(np.diff(found.primary) >= 0)


def test_untrained_network_gives_the_plain_vector_exactly() -> None:
    torch = pytest.importorskip("torch")
    from retrieval.jobs.enhancer_network import VectorNetwork

    torch.manual_seed(0)
    network = VectorNetwork().eval()
    plain = torch.nn.functional.normalize(torch.randn(2, 384), dim=-1)
    there = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    kinds = torch.tensor([[1, 0, 1, 2, 3], [1, 0, 1, 0, 0]])
    vector, _ = network(torch.randn(2, 5, 384), kinds, torch.zeros_like(kinds), there, plain)
    assert torch.allclose(vector, plain, atol=1e-6)
    vector.sum().backward()
    assert network.gate.grad is not None and float(network.gate.grad.abs()) > 0


def test_fitting_lowers_the_loss_and_is_repeatable() -> None:
    torch = pytest.importorskip("torch")
    from retrieval.jobs.fitting import Pace, fit

    def fitted() -> tuple[list[str], list[float]]:
        torch.manual_seed(0)
        network = torch.nn.Linear(3, 1)
        told: list[str] = []
        given = torch.randn(50, 3)
        wanted = given @ torch.tensor([[1.0], [-2.0], [0.5]])

        def loss_of(batch: Sequence[int]) -> object:
            return ((network(given[batch]) - wanted[batch]) ** 2).mean()

        pace = Pace(epochs=30, batch=8, rate=0.1, decay=0.0)
        fit(network, lambda: range(50), loss_of, pace, np.random.default_rng(0), told.append)
        assert not network.training
        return told, network.weight.detach().flatten().tolist()

    told, weights = fitted()
    assert len(told) == 30 and told[0].startswith("epoch 1 of 30, loss ")
    assert weights == pytest.approx([1.0, -2.0, 0.5], abs=0.1)
    assert (told, weights) == fitted()


def test_nested_there_is_one_for_each_fold_and_pair_and_none_is_made_twice(tmp_path: Path) -> None:
    job = pytest.importorskip("retrieval.jobs.train_enhancer", reason="needs the extra train")
    of = {f"d{n}": n % 3 for n in range(9)}
    made: dict[str, set[str]] = {}

    def train(without: set[str], file: Path) -> None:
        made[file.parent.name] = without
        file.parent.mkdir()
        file.write_bytes(b"")

    training = SimpleNamespace(report=lambda line: None, train=train)
    job.train_folds(training, of, tmp_path)
    assert made == {f"fold-{n}": {d for d in of if of[d] == n} for n in range(3)}
    made.clear()
    job.train_folds(training, of, tmp_path, nested=True)
    assert set(made) == {"without-0-1", "without-0-2", "without-1-2"}
    assert made["without-0-2"] == {d for d in of if of[d] != 1}


def test_padding_changes_nothing() -> None:
    torch = pytest.importorskip("torch")
    from retrieval.jobs.enhancer_network import IntentNetwork, VectorNetwork

    torch.manual_seed(0)
    network, reader = VectorNetwork().eval(), IntentNetwork().eval()
    with torch.no_grad():
        network.gate.fill_(0.5)
        tokens, plain = torch.randn(1, 4, 384), torch.randn(1, 384)
        kinds, places = torch.tensor([[1, 0, 0, 2]]), torch.tensor([[0, 1, 2, 0]])
        there = torch.ones(1, 4, dtype=torch.bool)
        wider = [
            torch.cat([tokens, torch.randn(1, 3, 384)], 1),
            torch.cat([kinds, torch.zeros(1, 3, dtype=torch.long)], 1),
            torch.cat([places, torch.zeros(1, 3, dtype=torch.long)], 1),
            torch.cat([there, torch.zeros(1, 3, dtype=torch.bool)], 1),
        ]
        one, _ = network(tokens, kinds, places, there, plain)
        other, _ = network(*wider, plain)
        assert torch.allclose(one, other, atol=1e-5)
        assert torch.allclose(reader(tokens, kinds, places, there)[0], reader(*wider)[0], atol=1e-4)


def test_names_come_from_the_starter() -> None:
    movies = list(open_catalogue(STARTER / "movies.jsonl.gz").movies(ReadReport()))
    names = Names.of(movies, [{"themes": ["heist"], "keywords": ["vault"]}])
    assert len(names.titles) == len(movies) > 2000
    assert names.topics == ["heist", "vault"]
    assert len(names.plots) > 200 and all(plot == plot.lower() for plot in names.plots)
