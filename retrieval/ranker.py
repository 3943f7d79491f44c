"""The learned ranker: what each candidate's features are worth, and why.

Knows the artifact (trees in JSON), how it is checked, scored in numpy and explained. Does not know
how features are made (rank_features.py) nor how it is trained (jobs/train_ranker.py). A missing or
refused artifact is no error: the fixed weights of retriever.py rank alone, and `usher doctor` says
so. Called by retriever.py; loaded by infra/wiring.py.

A tree has at most 16 leaves. All splits of all trees are decided at once; each split that goes
right strikes out the leaves on its left, and the first leaf that is left is the answer
(QuickScorer, Lucchese et al. 2015): no loop over trees. Trees are padded to the same number of
splits, which lets numpy combine them four times as fast as with ragged ones.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.film_facts import Floats
from retrieval.fusion import Fused
from retrieval.movie import Evidence, Query
from retrieval.neighbours import Knowledge
from retrieval.rank_features import GROUPS, NAMES, Search, features

RANKER = Path(__file__).with_name("ranker.json")
"""The one that ships; ranker_card.md stands beside it."""
MAX_LEAVES = 16
_ALL = (1 << MAX_LEAVES) - 1
_LOWEST = np.array([(v & -v).bit_length() - 1 if v else 0 for v in range(1 << MAX_LEAVES)], np.int8)
"""{leaves that are left, as bits: the first of them}."""
CANDIDATES = 100
"""How many of the fixed weights' best are put into a new order; what comes behind stays there. With
200, R@10 was lower by .005: what few learn from, many can err on."""
FIXED_SHARE = 0.5
"""How much the logarithm of the fixed weights' score counts beside the trees.

Of 0, .25, .5, 1 and 2, all held out, .5 gave R@10 most (.254 against .251 with the trees alone) and
the narrowest interval; what the trees never saw stays near an order that was set by hand.
"""
LEAST = 1e-5
"""Fixed scores are no smaller when their logarithm is taken."""
LEG = "ranker"
"""The name of its evidence: the rank that it gave, the score, and the features behind it."""
EXPLAINED = 10
"""Candidates that carry such evidence: nobody asks why something stands at rank 100."""
REASONS = 2
"""Groups of features named for a candidate."""


class RankerRefused(Exception):
    """The artifact cannot be used; the message says why."""


@dataclass(frozen=True)
class Ranker:
    """Trees side by side; shorter ones repeat their last split, which decides nothing new."""

    sha: str
    feature: npt.NDArray[np.int64]
    """(splits of a tree, trees): the column each split looks at."""
    threshold: Floats
    """(splits of a tree, trees): a value up to it goes left."""
    struck: npt.NDArray[np.uint16]
    """(splits of a tree, trees): the leaves that going right strikes out, as bits."""
    leaves: Floats
    """(trees, MAX_LEAVES)."""

    @classmethod
    def load(cls, path: Path = RANKER) -> "Ranker":
        """Raises: RankerRefused."""
        try:
            content = path.read_bytes()
            return cls.read(json.loads(content), sha256(content).hexdigest())
        except FileNotFoundError:
            raise RankerRefused(f"{path} is not there") from None
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise RankerRefused(f"{path} cannot be read ({error})") from None

    @classmethod
    def read(cls, artifact: dict[str, Any], sha: str) -> "Ranker":
        """From the JSON that jobs/train_ranker.py writes. Raises: RankerRefused, KeyError..."""
        if artifact["features"] != list(NAMES):
            raise RankerRefused("the ranker was trained on other features: train it anew")
        trees = artifact["trees"]
        if not trees or max(len(tree["leaves"]) for tree in trees) > MAX_LEAVES:
            raise RankerRefused(f"the ranker needs trees, of {MAX_LEAVES} leaves at most")
        if not all(tree["splits"] for tree in trees):
            raise RankerRefused("the ranker has a tree without a split")
        longest = max(len(tree["splits"]) for tree in trees)
        splits = [
            [tree["splits"][min(at, len(tree["splits"]) - 1)] for tree in trees]
            for at in range(longest)
        ]
        leaves = np.zeros((len(trees), MAX_LEAVES), dtype=np.float32)
        for number, tree in enumerate(trees):
            leaves[number, : len(tree["leaves"])] = tree["leaves"]
        return cls(
            sha=sha,
            feature=np.array([[s[0] for s in row] for row in splits], dtype=np.int64),
            threshold=np.array([[s[1] for s in row] for row in splits], dtype=np.float32),
            struck=np.array(
                [[_ALL & (((1 << s[3]) - 1) << s[2]) for s in row] for row in splits],
                dtype=np.uint16,
            ),
            leaves=leaves,
        )

    def scores(self, table: Floats) -> Floats:
        """Shape (n,): higher is better; `table` has one row of features for each candidate."""
        if not len(table):
            return np.zeros(0, dtype=np.float32)
        # Splits as rows: numpy then works along the candidates, which lie side by side.
        values = np.ascontiguousarray(table.T).take(self.feature, axis=0)
        right = values > self.threshold[:, :, None]
        struck = np.multiply(right, self.struck[:, :, None], dtype=np.uint16)
        left_over = ~np.bitwise_or.reduce(struck, axis=0)
        leaf = _LOWEST[left_over] + MAX_LEAVES * np.arange(len(self.leaves))[:, None]
        found: Floats = self.leaves.ravel().take(leaf.T).sum(axis=1)
        return found

    def ordered(self, table: Floats, fixed: Sequence[float]) -> tuple[list[int], list[float]]:
        """(rows, best first; the score of each row of the table); ties keep their order.

        Args: fixed: what the fixed weights gave each row.
        """
        scores = self.scores(table) + FIXED_SHARE * np.log(np.maximum(fixed, LEAST))
        return np.argsort(-scores, kind="stable").tolist(), scores.tolist()

    def reasons(self, table: Floats, top: int) -> list[tuple[str, ...]]:
        """For the first `top` rows: the groups of features that raised each most, dearest first.

        A group's part is what the score loses when its features are those of a typical candidate
        (the median of this search).
        """
        head = table[:top]
        typical = np.median(table, axis=0)
        changed = [head]
        for columns in GROUPS.values():
            without = head.copy()
            without[:, columns] = typical[columns]
            changed.append(without)
        scored = self.scores(np.concatenate(changed)).reshape(len(changed), len(head))
        lost = scored[0] - scored[1:]
        names = tuple(GROUPS)
        order = np.argsort(-lost, axis=0, kind="stable")[:REASONS]
        return [tuple(names[g] for g in order[:, i] if lost[g, i] > 0) for i in range(len(head))]


def ranks(query: Query) -> bool:
    """Whether the ranker has a say: where films were named, which is what it learned from.

    Requests without one gained nothing from it (481 ReDial dev targets), so that a plain "a good
    western" stays with weights that read as a table. Nor has it one about descriptions of one film,
    or with a model's proposals, whose order is a considered one.
    """
    return bool(query.seeds) and not (query.known_item or query.proposals)


def reranked(
    fused: list[Fused], search: Search, knowledge: Knowledge, ranker: Ranker
) -> list[Fused]:
    """The same candidates in the ranker's order, with the scores of the places they now have.

    Scores stay those of the fixed weights, best first, so that what comes after (leanings, lists in
    a cache) reads one scale whoever ranked. Ties keep their order.
    """
    head, tail = fused[:CANDIDATES], fused[CANDIDATES:]
    if len(head) < 2 or not len(knowledge.facts.row_of):
        return fused
    table = features(replace(search, fused={f.movie_id: f.score for f in head}), knowledge)
    order, scores = ranker.ordered(table, [f.score for f in head])
    why = ranker.reasons(table[order], EXPLAINED)
    again = []
    for place, at in enumerate(order):
        evidence = head[at].evidence
        if place < EXPLAINED:
            said = Evidence(LEG, place + 1, scores[at], ", ".join(why[place]))
            evidence = (*evidence, said)
        again.append(Fused(head[at].movie_id, head[place].score, evidence))
    return [*again, *tail]
