"""Which models decide and speak: settings in, a decider out.

Knows the default models of each provider, how two or three models make two ladders, and the price
table. Does not know how a provider is talked to (models_bedrock.py, models_anthropic.py,
models_openai.py: imported inside their arms). Called by wiring.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

import yaml
from pydantic import TypeAdapter, ValidationError

from agent.ladder import Ladder, Rung
from agent.model import Message, ModelFailure
from agent.model_decider import ModelDecider
from agent.model_turn import Budget, Models, Price
from infra.models import CallLimits, Model, Transport
from infra.settings import CREDENTIALS, SettingProblem, Settings
from tools.stores import Stores

Online = Literal["bedrock", "anthropic", "openai"]
DEFAULTS: Mapping[str, tuple[str, str]] = {
    "bedrock": ("global.anthropic.claude-haiku-5-5", "global.anthropic.claude-sonnet-5-5"),
    "anthropic": ("claude-haiku-5-5", "claude-sonnet-5-5"),
}
"""(decides, responds); see research/agent-stack.md 3. Servers of one's own have none."""
PRICES = Path(__file__).with_name("prices.yaml")
_TABLE: TypeAdapter[dict[str, Price]] = TypeAdapter(dict[str, Price])


@dataclass(frozen=True)
class Provider:
    """A provider's door: a transport for any model id, and how to close it."""

    transport: Callable[[str], Transport]
    close: Callable[[], Awaitable[None]]


def provider_of(settings: Settings, online: Online) -> Provider:
    """Make the provider's client; nothing is called yet. Raises: SettingProblem."""
    match online:
        case "bedrock":
            return _bedrock(settings)
        case "anthropic":
            return _anthropic(settings)
        case "openai":
            return _openai(settings)
        case _:
            assert_never(online)


def models_of(settings: Settings, provider: Provider, gate: asyncio.Semaphore) -> dict[str, Model]:
    """The models by role: decide, respond, fallback. Raises: SettingProblem."""
    ids = _ids(settings)
    limits = CallLimits(settings.model_first_s, settings.model_idle_s)
    made: dict[str, Model] = {}
    for role, model_id in ids.items():
        try:
            made[role] = Model(provider.transport(model_id), gate, limits)
        except ValueError as error:
            name = f"USHER_{role.upper()}_MODEL"
            raise SettingProblem(f"{name}={model_id} cannot be used: {error}") from None
    return made


def _ids(settings: Settings) -> dict[str, str]:
    small, large = settings.decide_model, settings.respond_model
    if settings.model == "openai":  # such a server often has one model, which then does all
        small, large = small or large, large or small
    default = DEFAULTS.get(settings.model, ("", ""))
    small, large = small or default[0], large or default[1]
    if not small:
        raise SettingProblem(
            "USHER_MODEL=openai: name the model with USHER_RESPOND_MODEL, as the server calls it"
        )
    return {"decide": small, "respond": large, "fallback": settings.fallback_model or small}


def decider_of(settings: Settings, provider: Provider, stores: Stores) -> ModelDecider:
    """The decider with its ladders. Raises: SettingProblem."""
    models = models_of(settings, provider, asyncio.Semaphore(settings.model_calls))
    rungs: dict[str, Rung] = {}
    for model in models.values():  # one breaker per model, whatever it is asked for
        rungs.setdefault(model.model_id, Rung(model))

    def ladder(first: str) -> Ladder:
        ids = dict.fromkeys((models[first].model_id, models["fallback"].model_id))
        return Ladder(first, [rungs[model_id] for model_id in ids])

    return ModelDecider(
        Models(
            decide=ladder("decide"),
            respond=ladder("respond"),
            quotas=stores.quotas,
            cache=stores.cache,
            prices=read_prices(settings.prices or PRICES),
            budget=Budget(settings.turn_tokens, settings.daily_tokens),
            explain_s=settings.explain_s,
        )
    )


async def probe(settings: Settings) -> list[str]:
    """Ask each model for a word; the ids of those that answered.

    Raises: SettingProblem, ModelFailure.
    """
    assert settings.model != "offline"
    provider = provider_of(settings, settings.model)
    try:
        models = models_of(settings, provider, asyncio.Semaphore(1))
        unlike = {model.model_id: model for model in models.values()}
        for model in unlike.values():
            async for _ in model.stream((Message("user", "Answer with the one word: ready"),)):
                pass
    finally:
        await provider.close()
    return list(unlike)


def read_prices(path: Path) -> dict[str, Price]:
    """The price table. Raises: SettingProblem."""
    try:
        return _TABLE.validate_python(yaml.safe_load(path.read_bytes()) or {})
    except OSError as error:
        raise SettingProblem(f"USHER_PRICES: cannot read {path} ({error.strerror})") from None
    except (yaml.YAMLError, ValidationError):
        raise SettingProblem(
            f"USHER_PRICES: {path} is not a table of prices; {PRICES} shows its form"
        ) from None


def _bedrock(settings: Settings) -> Provider:
    from botocore.exceptions import BotoCoreError

    from infra.models_bedrock import Bedrock, BedrockSettings

    try:
        bedrock = Bedrock(
            BedrockSettings(
                region=settings.bedrock_region,
                endpoint_url=settings.bedrock_endpoint_url,
                streams=settings.model_calls,
                guardrail=settings.bedrock_guardrail,
                prompt_cache=settings.prompt_cache,
                provider=settings.bedrock_provider,
                base_model=settings.bedrock_base_model,
            )
        )
    except (BotoCoreError, ValueError) as error:
        raise SettingProblem(
            f"USHER_MODEL=bedrock: {error} Set USHER_BEDROCK_REGION or the AWS configuration"
        ) from None

    async def close() -> None:
        bedrock.close()

    return Provider(bedrock.model, close)


def _anthropic(settings: Settings) -> Provider:
    from infra.models_anthropic import Anthropic, AnthropicSettings

    key = settings.anthropic_api_key
    try:
        anthropic = Anthropic(
            AnthropicSettings(
                api_key=key.get_secret_value() if key else None,
                base_url=settings.anthropic_base_url,
                streams=settings.model_calls,
                prompt_cache=settings.prompt_cache,
            )
        )
    except ModelFailure as failure:
        raise SettingProblem(
            f"USHER_MODEL=anthropic: set USHER_ANTHROPIC_API_KEY ({failure})"
        ) from None
    return Provider(anthropic.model, anthropic.close)


def _openai(settings: Settings) -> Provider:
    from infra.models_openai import OpenAi, OpenAiSettings

    key, address = settings.openai_api_key, settings.openai_base_url
    example = "http://127.0.0.1:8080/v1 (llama.cpp), :8000/v1 (vLLM), :11434/v1 (Ollama)"
    if not address:
        raise SettingProblem(f"USHER_MODEL=openai: set USHER_OPENAI_BASE_URL, as {example}")
    try:
        server = OpenAi(
            OpenAiSettings(
                base_url=address,
                api_key=key.get_secret_value() if key else None,
                streams=settings.model_calls,
            )
        )
    except ValueError:
        given = CREDENTIALS.sub("***@", address)
        raise SettingProblem(
            f"USHER_OPENAI_BASE_URL={given} is no address; write it as {example}"
        ) from None
    return Provider(server.model, server.close)
