"""The language model that evals ask: the one of USHER_MODEL, or another of the same provider.

Knows settings and the provider's door. Does not know what it is asked. Called by the judge
(judge_command.py, calibrate_command.py) and for the simulated user (simulate_command.py).
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from agent.model import ChatModel
from infra.cli_common import Refusal
from infra.models import CallLimits, Model
from infra.settings import load

AT_ONCE = 8
"""Dialogues that a model is asked about at the same time."""


@asynccontextmanager
async def the_model(who: str, model_id: str | None = None) -> AsyncIterator[ChatModel]:
    """A model, closed at the end. Raises: Refusal without a provider, SettingProblem.

    Args:
        who: needs it ("a judge"), for the message.
        model_id: another than the one that answers.
    """
    settings = load()
    if settings.model == "offline":
        raise Refusal(
            f"{who} needs a language model: set USHER_MODEL to bedrock or anthropic "
            "(USHER_MODEL=offline has none; everything else of evals works without)"
        )
    # Its imports cost seconds (boto3 or anthropic): only who needs a model pays for them.
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


async def all_of(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all; the first error stops the others and is raised as itself."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
