"""Turns with models, end to end: what is decided, shown and said, over the fake Bedrock."""

from pathlib import Path
from typing import Any

import pytest

from agent.events import (
    LedgerChanged,
    Recommendations,
    TextDelta,
    ToolFinished,
    TurnFinished,
    Usage,
)
from faking import LARGE, SMALL, FakeBedrock
from modelled import HEISTS, model_settings, model_talk, plan, says, search_plan
from talking import Talk, services


async def test_a_turn_with_models(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.script(search_plan(query="heist"), model=SMALL)
    bedrock.script(says("Start with Ocean's Eleven, it is light on its feet."), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("a clever heist film please")
    assert reply.text == "Start with Ocean's Eleven, it is light on its feet."
    assert reply.titles[0] == "Ocean's Eleven" and "Inside Man" in reply.titles
    kinds = [type(event) for event in reply.events]
    assert kinds.index(Recommendations) < kinds.index(TextDelta)
    finished: TurnFinished = reply.one(TurnFinished)
    assert finished.acts == ["search"] and not finished.degraded and finished.notes == []
    assert set(finished.prompt_shas) == {"phrases", "decide", "respond"}
    usage: Usage = reply.one(Usage)
    assert (usage.input_tokens, usage.output_tokens, usage.cost) == (200, 40, None)
    tool: ToolFinished = reply.one(ToolFinished)
    assert "4 of 4 suggestions are in the catalogue" in tool.summary


async def test_hard_wishes_that_rules_heard_bind_a_forgetful_model(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    bedrock.script(search_plan(), model=SMALL)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("a heist film from before 1990, but no comedy")
    assert "no comedy" in reply.labels and "up to 1989" in reply.labels
    assert reply.cards and all(card.year and card.year <= 1989 for card in reply.cards)
    assert not any("comedy" in card.facts.genres for card in reply.cards)


async def test_other_languages_are_understood_and_answered(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    said = "keine Komödie"
    wish = {"kind": "genre", "value": "comedy", "avoid": True, "said": said}
    film = {"title": "Heat (1995)", "stance": "seed", "said": "wie Heat"}
    bedrock.script(search_plan(language="de", wishes=[wish], films=[film]), model=SMALL)
    bedrock.script(says("Der Film Inside Man passt gut zu deinem Abend."), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("Etwas wie Heat bitte, aber keine Komödie")
    assert {"no comedy", "like Heat (1995)"} <= set(reply.labels)
    assert "Heat" not in reply.titles and "Inside Man" in reply.titles
    assert reply.text.startswith("Der Film Inside Man")
    assert '"language":"de"' in str(bedrock.bodies(LARGE)[0]["messages"])


async def test_without_a_speaker_a_list_is_not_refused_as_foreign(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    bedrock.script(search_plan(language="de"), model=SMALL)
    bedrock.always({"status": 403}, model=LARGE)
    bedrock.always({"status": 403}, model=SMALL)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("Ich möchte bitte einen Film mit einem Raub sehen")
    assert reply.cards and reply.one(TurnFinished).degraded
    assert "only understand English" not in reply.text


async def test_a_turn_is_never_answered_with_nothing(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.script(plan("inform"), model=SMALL)
    bedrock.script(says(""), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("surprise me")
    assert reply.text and reply.one(TurnFinished).notes == ["respond: templates instead"]


async def test_films_that_are_not_there_are_neither_shown_nor_named(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    invented = ["The Crimson Paradox (2019)", "Zorblax (2031)", *HEISTS[:2]]
    bedrock.script(search_plan(titles=invented), model=SMALL)
    text = (
        "Try The Crimson Paradox (2019). Ocean's Eleven is a joy. "
        "Zorblax is even better! You could also see Jaws. The Sting (1973) never fails."
    )
    bedrock.script(says(text), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("something clever please")
    assert reply.text == "Ocean's Eleven is a joy. The Sting (1973) never fails."
    assert reply.one(TurnFinished).notes == ["respond: 3 sentences left out"]
    assert "2 of 4 suggestions" in reply.one(ToolFinished).summary


async def test_a_question_with_options(tmp_path: Path, bedrock: FakeBedrock) -> None:
    ask = {"question": "Funny or tense?", "options": ["Funny", "Tense", "", "Funny"]}
    bedrock.script(plan("clarify", wants_list=False, **ask), model=SMALL)
    bedrock.script(says("Happy to help."), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("hmm not sure")
        assert reply.question and reply.question.question == "Funny or tense?"
        assert [o.text for o in reply.question.options] == ["Funny", "Tense"]
        bedrock.script(plan("clarify", wants_list=False, **ask), model=SMALL)
        again = await talk.say("whatever")
    assert again.question is None, "never twice in a row without news"


async def test_facts_are_looked_up(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.script(plan("inform", look_up=True), model=SMALL)
    calls = [{"name": "details", "input": {"film": "Alien (1979)"}}, {"name": "profile", "raw": ""}]
    bedrock.script({"tools": calls}, says("enough"), model=SMALL)
    bedrock.script(says("Alien was directed by Ridley Scott."), model=LARGE)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("who made Alien and is it my thing?")
    assert reply.text == "Alien was directed by Ridley Scott."
    tools = [e.tool for e in reply.events if isinstance(e, ToolFinished)]
    assert tools == ["details", "profile"]
    told = str(bedrock.bodies(LARGE)[0]["messages"])
    assert "directed by Ridley Scott" in told and "liked: []" in told


async def test_at_most_four_calls(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.script(plan("inform", look_up=True), model=SMALL)
    wrong = {"name": "details", "input": {"movie": 7, "principal": "somebody else"}}
    unknown = {"name": "record", "input": {"kind": "like"}}
    bedrock.always({"tools": [wrong, unknown, wrong]}, model=SMALL)
    async with model_talk(tmp_path, bedrock) as talk:
        reply = await talk.say("tell me more about Alien")
    tools = [(e.tool, e.summary) for e in reply.events if isinstance(e, ToolFinished)]
    assert tools == [("details", "failed"), ("unknown", "failed")] + [
        ("details", "failed"),
        ("details", "failed"),
    ]
    assert len(bedrock.bodies(SMALL)) == 3
    said_back = str(bedrock.bodies(SMALL)[2]["messages"])
    assert "there is no tool 'record'" in said_back and "film: Field required" in said_back


async def test_chips_and_exact_words_ask_no_model(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.script(search_plan(), model=SMALL)
    async with model_talk(tmp_path, bedrock) as talk:
        first = await talk.say("a heist film, no comedy")
        ledger: LedgerChanged = first.one(LedgerChanged)
        await talk.say(ledger.entries[-1].remove_text)
        await talk.say("undo")
    assert len(bedrock.bodies(SMALL)) == 1


async def test_reasons_in_the_models_words(tmp_path: Path, bedrock: FakeBedrock) -> None:
    long = " ".join(["good"] * 30)
    items = [
        {"n": 1, "text": "A light caper, as you asked for.", "rests_on": [1]},
        {"n": 2, "text": "It turns out that he is dead.", "rests_on": [1]},
        {"n": 3, "text": "Better than Zorblax Rising.", "rests_on": [1]},
        {"n": 4, "text": long, "rests_on": [1]},
        {"n": 5, "text": "Rests on nothing.", "rests_on": [99]},
    ]
    answer = {"tools": [{"name": "answer", "input": {"items": items}}]}
    bedrock.script(search_plan(), answer, model=SMALL)
    async with model_talk(tmp_path, bedrock, explain_s=5) as talk:
        reply = await talk.say("a heist film please")
        assert reply.cards[0].why == ["A light caper, as you asked for."]
        assert not {item["text"] for item in items[1:]} & {w for c in reply.cards for w in c.why}
        assert all(card.why for card in reply.cards)
        assert reply.one(TurnFinished).notes == ["explain: 4 templates instead"]
        talk.conversation_id = None
        bedrock.script(search_plan(), {"text": "nonsense"}, {"text": "again"}, model=SMALL)
        again = await talk.say("a heist film please")
    assert again.cards[0].why == ["A light caper, as you asked for."], "kept in the cache"
    assert len(again.cards) == 5


async def test_a_reason_that_names_what_one_user_said_is_not_kept_for_others(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    text = "A caper for people who love Jaws."
    items = [{"n": 1, "text": text, "rests_on": [1]}]
    answer = {"tools": [{"name": "answer", "input": {"items": items}}]}
    async with model_talk(tmp_path, bedrock, explain_s=5) as talk:
        bedrock.script(search_plan(), answer, model=SMALL)
        first = await talk.say("a heist film please, I have seen Jaws")
        assert first.cards[0].why == [text]
        talk.conversation_id = None
        bedrock.script(search_plan(), {"text": "nonsense"}, {"text": "again"}, model=SMALL)
        other = await talk.say("a heist film please")
    assert other.titles[0] == first.titles[0]
    assert text not in other.cards[0].why


@pytest.mark.parametrize("tokens", [{"turn_tokens": 100}, {"daily_tokens": 100}])
async def test_without_tokens_the_answer_is_offline(
    tmp_path: Path, bedrock: FakeBedrock, tokens: dict[str, int]
) -> None:
    async with model_talk(tmp_path, bedrock, **tokens) as talk:
        reply = await talk.say("a clever heist film please")
    finished: TurnFinished = reply.one(TurnFinished)
    assert finished.status == "completed" and finished.degraded
    assert "decide: budget" in finished.notes and reply.cards and reply.text
    assert bedrock.log == []


async def test_a_day_is_charged_what_the_models_counted(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    """Set aside before the calls, by one write; what was not used goes back, by another."""
    bedrock.script(search_plan(), model=SMALL)
    async with services(tmp_path, **model_settings(bedrock)) as wired:
        taken: list[int] = []
        take = wired.stores.quotas.take

        async def counted(*who: Any, **what: Any) -> int:
            taken.append(what["amount"])
            return await take(*who, **what)

        wired.stores.quotas.take = counted  # type: ignore[method-assign]
        reply = await Talk(wired.assistant, "somebody").say("a heist film please")
    used: Usage = reply.one(Usage)
    assert sum(taken) == used.input_tokens + used.output_tokens == 240
    assert len(taken) == 2 and taken[0] > 0 > taken[1]


async def test_a_call_needs_no_more_than_itself(tmp_path: Path, bedrock: FakeBedrock) -> None:
    """Where the day has tokens for one call but not for two, the first is made."""
    bedrock.script(search_plan(), model=SMALL)
    async with model_talk(tmp_path, bedrock, daily_tokens=1500) as talk:
        reply = await talk.say("a heist film please")
    assert "decide: budget" not in reply.one(TurnFinished).notes
    assert len(bedrock.bodies(SMALL)) == 1


async def test_prices(tmp_path: Path, bedrock: FakeBedrock) -> None:
    table = tmp_path / "prices.yaml"
    table.write_text(
        f"{SMALL}: {{input: 1, output: 5}}\n{LARGE}: {{input: 3, output: 15}}\n", encoding="utf-8"
    )
    bedrock.script(search_plan(), model=SMALL)
    async with model_talk(tmp_path, bedrock, prices=table) as talk:
        reply = await talk.say("a heist film please")
    assert reply.one(Usage).cost == pytest.approx((100 * 1 + 20 * 5 + 100 * 3 + 20 * 15) / 1e6)
