"""What the findings of one utterance come to together: choices, doubles, the stricter of two.

Knows which kinds of findings one film can hardly all meet. Does not know text. Pure; called by
preferences.py.
"""

from collections.abc import Sequence
from dataclasses import replace

from retrieval.nlu import audience
from retrieval.nlu.preference_patterns import TOO_MUCH
from retrieval.nlu.wording import GRADE_WORDS
from retrieval.understanding import Finding


def together(findings: Sequence[Finding], hedged: Sequence[Finding] = ()) -> tuple[Finding, ...]:
    """The findings of an utterance, joined where they belong together.

    Args: hedged: those brought up with "maybe".
    """
    return _unique(_either(_one_company(_stricter_genre(_mild(_firm(findings, hedged))))))


def _firm(findings: Sequence[Finding], hedged: Sequence[Finding]) -> list[Finding]:
    """What is asked for binds, whatever "maybe" comes with it; beside it, "maybe" only ranks."""
    wanted = [f for f in findings if f.polarity == "want" and f.hard]
    if all(f in hedged for f in wanted):
        return list(findings)
    return [replace(f, hard=False, loose=False) if f in hedged else f for f in findings]


def _mild(findings: Sequence[Finding]) -> list[Finding]:
    """Bar only the most of what is asked for: "something scary, but not too scary"."""
    asked = {
        GRADE_WORDS.get(str(f.value)) for f in findings if f.kind == "mood" and f.polarity == "want"
    }
    young = any(f.kind == "companion" and f.value == "kids" for f in findings)
    return [
        replace(f, value={"name": _graded(f), "min": TOO_MUCH + 1})
        if not young and (_graded(f), 1) in asked and _bar(f) == TOO_MUCH
        else f
        for f in findings
    ]


def _one_company(findings: Sequence[Finding]) -> list[Finding]:
    """Without date night where children watch as well: "me, my wife and our 15 year old"."""
    with_children = any(f.kind == "companion" and f.value in ("kids", "teens") for f in findings)
    return [f for f in findings if not (with_children and f.value == "date night")]


def _stricter_genre(findings: Sequence[Finding]) -> list[Finding]:
    """Without what a child's age suggests, "family or animation", where one of them is said."""
    asked = {f.value for f in findings if f.kind == "genre" and f.polarity == "want"}
    barred = {f.value for f in findings if f.kind == "genre" and f.polarity == "avoid"}
    if asked & {"family", "animation"}:
        return [f for f in findings if f.value != audience.FOR_CHILDREN]
    if barred & {"family", "animation"}:  # "with the kids, not animated"
        left = "family" if "animation" in barred else "animation"
        return [replace(f, value=left) if f.value == audience.FOR_CHILDREN else f for f in findings]
    return list(findings)


def _either(findings: Sequence[Finding]) -> list[Finding]:
    """One wish with a choice of "French or Italian", "British and Irish": a film is rarely both."""
    either = list(findings)
    for kind in ("language", "country"):
        wanted = [f for f in either if f.kind == kind and f.polarity == "want"]
        if len(wanted) > 1:
            codes = " or ".join(dict.fromkeys(str(f.value) for f in wanted))
            one = Finding(wanted[0].kind, codes, "want", any(f.hard for f in wanted))
            either = [one, *(f for f in either if f not in wanted)]
    return either


def _graded(finding: Finding) -> str:
    """The grade that must not be too high; empty for other findings."""
    barred = finding.kind == "attribute" and finding.polarity == "avoid"
    return str(finding.value["name"]) if barred and not isinstance(finding.value, str) else ""


def _bar(finding: Finding) -> int:
    """From which grade on it is barred: "not too scary" bars more than a child's age may."""
    return 0 if isinstance(finding.value, str) else int(finding.value.get("min", 0))


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    kept: list[Finding] = []
    least = {_graded(f): f for f in sorted(findings, key=_bar, reverse=True) if _graded(f)}
    findings = [f for f in findings if least.get(_graded(f), f) == f]
    firm = {(f.kind, str(f.value), f.polarity) for f in findings if f.hard}
    for finding in findings:
        softer = not finding.hard and (finding.kind, str(finding.value), finding.polarity) in firm
        if finding not in kept and not softer:
            kept.append(finding)
    return tuple(kept)
