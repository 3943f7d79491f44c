"""The model that judges: the one of USHER_MODEL, or another of the same provider.

Knows settings and the provider's door. Does not know what it is asked. Called by judge_command.py
and calibrate_command.py.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.model import ChatModel
from infra.cli_common import Refusal
from infra.models import CallLimits, Model
from infra.settings import load


@asynccontextmanager
async def the_model(model_id: str | None = None) -> AsyncIterator[ChatModel]:
    """A model, closed at the end. Raises: Refusal without a provider, SettingProblem."""
    settings = load()
    if settings.model == "offline":
        raise Refusal(
            "a judge needs a language model: set USHER_MODEL to bedrock or anthropic "
            "(USHER_MODEL=offline has none; everything else of evals works without)"
        )
    # Its imports cost seconds (boto3 or anthropic): only whoever judges pays for them.
    from infra.models_wiring import models_of, provider_of

    gate = asyncio.Semaphore(settings.model_calls)
    provider = provider_of(settings, settings.model)
    try:
        if model_id is None:
            yield models_of(settings, provider, gate)["respond"]
        else:
            limits = CallLimits(settings.model_first_s, settings.model_idle_s)
            yield Model(provider.transport(model_id), gate, limits)
    finally:
        await provider.close()
