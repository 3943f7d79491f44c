"""Which models are asked for what, what they cost, and how doctor looks at them."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.events import TurnFinished, Usage
from agent.model import ModelFailure
from agent.model_turn import Price
from faking import LARGE, SMALL, FakeBedrock
from infra.models_wiring import DEFAULTS, decider_of, probe, provider_of, read_prices
from infra.settings import SettingProblem, Settings, load
from infra.stores_sqlite import SqliteStores
from modelled import says, search_plan
from talking import talk
from usher_command import Run, on_index, run

__all__ = ["run"]  # the fixture


def settings(bedrock: FakeBedrock, **more: Any) -> Settings:
    return load(model="bedrock", bedrock_endpoint_url=bedrock.url, **more)


async def ladders(chosen: Settings, tmp_path: Path) -> tuple[list[str], list[str]]:
    stores = await SqliteStores.open(tmp_path / "s.sqlite3")
    provider = provider_of(chosen, "bedrock")
    models = decider_of(chosen, provider, stores).models
    await provider.close()
    await stores.close()
    decide, respond = (
        [rung.model.model_id for rung in ladder.rungs] for ladder in (models.decide, models.respond)
    )
    shared = {id(r.breaker) for ladder in (models.decide, models.respond) for r in ladder.rungs}
    assert len(shared) == len({*decide, *respond}), "one breaker per model"
    return decide, respond


async def test_the_smaller_decides_and_steps_in(tmp_path: Path, bedrock: FakeBedrock) -> None:
    small, large = DEFAULTS["bedrock"]
    assert await ladders(settings(bedrock), tmp_path) == ([small], [large, small])
    chosen = settings(bedrock, decide_model="a", respond_model="b", fallback_model="c")
    assert await ladders(chosen, tmp_path) == (["a", "c"], ["b", "c"])


def test_a_price_table_is_read(tmp_path: Path) -> None:
    table = tmp_path / "prices.yaml"
    table.write_text("m: {input: 1, output: 5, cache_read: 0.1}\n", encoding="utf-8")
    assert read_prices(table) == {"m": Price(1, 5, 0.1)}
    for broken in ("m: [1, 2]", "m: {input: x}", ": :"):
        table.write_text(broken, encoding="utf-8")
        with pytest.raises(SettingProblem, match="USHER_PRICES"):
            read_prices(table)
    with pytest.raises(SettingProblem, match="cannot read"):
        read_prices(tmp_path / "none.yaml")


def test_a_missing_region_or_key_is_told(
    bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SettingProblem, match="USHER_BEDROCK_REGION"):
        provider_of(settings(bedrock), "bedrock")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    with pytest.raises(SettingProblem, match="USHER_ANTHROPIC_API_KEY"):
        provider_of(load(model="anthropic"), "anthropic")


def on_server(bedrock: FakeBedrock, **more: Any) -> Settings:
    return load(model="openai", openai_base_url=f"{bedrock.url}/v1", **more)


async def test_a_server_of_ones_own_needs_an_address_and_a_model(
    tmp_path: Path, bedrock: FakeBedrock
) -> None:
    with pytest.raises(SettingProblem, match="set USHER_OPENAI_BASE_URL"):
        provider_of(load(model="openai"), "openai")
    for wrong in ("localhost:8080", "ftp://me:hidden@host/v1", "http://", "/v1"):
        with pytest.raises(SettingProblem, match="USHER_OPENAI_BASE_URL=.*is no address") as raised:
            provider_of(load(model="openai", openai_base_url=wrong), "openai")
        assert "hidden" not in str(raised.value)
    with pytest.raises(SettingProblem, match="USHER_RESPOND_MODEL"):
        await probe(on_server(bedrock))


async def test_one_model_of_ones_own_does_all(bedrock: FakeBedrock) -> None:
    assert await probe(on_server(bedrock, respond_model="qwen")) == ["qwen"]
    assert await probe(on_server(bedrock, decide_model="a", respond_model="b")) == ["a", "b"]
    bedrock.script({"status": 404})
    with pytest.raises(ModelFailure, match="/v1"):
        await probe(on_server(bedrock, decide_model="none"))


async def test_a_turn_on_a_server_of_ones_own(tmp_path: Path, bedrock: FakeBedrock) -> None:
    bedrock.always(search_plan(query="heist"), model=SMALL)
    bedrock.always(says("I would start with the first."), model=LARGE)
    chosen = {"decide_model": SMALL, "respond_model": LARGE, "explain_s": 0}
    server = {"model": "openai", "openai_base_url": f"{bedrock.url}/v1", **chosen}
    async with talk(tmp_path, **server) as conversation:
        reply = await conversation.say("a clever heist film")
    assert reply.text == "I would start with the first." and len(reply.cards) == 5
    assert reply.one(Usage).input_tokens == 200 and not reply.one(TurnFinished).degraded
    assert {call["path"] for call in bedrock.log} == {"/v1/chat/completions"}


async def test_an_unknown_profile_is_told(tmp_path: Path, bedrock: FakeBedrock) -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    with pytest.raises(SettingProblem, match="USHER_RESPOND_MODEL.*USHER_BEDROCK_BASE_MODEL"):
        await ladders(settings(bedrock, respond_model=arn), tmp_path)


async def test_each_model_is_probed_once(bedrock: FakeBedrock) -> None:
    chosen = settings(bedrock, decide_model=SMALL, respond_model=LARGE)
    assert await probe(chosen) == [SMALL, LARGE]
    assert [call["model"] for call in bedrock.log] == [SMALL, LARGE]


def test_doctor_asks_the_models(
    run: Run, bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USHER_MODEL", "bedrock")
    monkeypatch.setenv("USHER_BEDROCK_ENDPOINT_URL", bedrock.url)
    monkeypatch.setenv("USHER_PORT", "0")
    bedrock.script({"text": "ready"}, {"status": 403})
    code, out, _ = run(*on_index("doctor", "--json"))
    (check,) = [c for c in json.loads(out)["checks"] if c["name"] == "models"]
    assert code == 1 and check["state"] == "broken" and "AccessDenied" in check["found"]
    bedrock.reset()
    _, out, _ = run(*on_index("doctor", "--json"))
    (check,) = [c for c in json.loads(out)["checks"] if c["name"] == "models"]
    assert check["state"] == "ok" and "answered" in check["found"]


def test_a_terminal_says_that_no_model_was_asked(
    run: Run, bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USHER_MODEL", "bedrock")
    monkeypatch.setenv("USHER_BEDROCK_ENDPOINT_URL", bedrock.url)
    bedrock.always({"status": 403})
    code, out, _ = run(*on_index("chat", "--once", "a comedy"))
    assert code == 0
    assert "a model could not be asked as meant: denied; `usher doctor` tells more" in out
