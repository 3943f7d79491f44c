"""Conversations with models: the real service on the starter catalogue, over the fake Bedrock.

Knows plans and answers worth scripting. The models' ids are those of faking.py.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from faking import LARGE, SMALL, FakeBedrock
from talking import Talk, services

HEISTS = ["Ocean's Eleven (2001)", "The Sting (1973)", "Inside Man (2006)", "Heat (1995)"]


def plan(*acts: str, **fields: Any) -> dict[str, Any]:
    """A step in which a model decides."""
    return {"tools": [{"name": "answer", "input": {"acts": acts or ("search",), **fields}}]}


def search_plan(**fields: Any) -> dict[str, Any]:
    """A step in which a model decides to search."""
    return plan("search", **{"wants_list": True, "titles": HEISTS, **fields})


def says(text: str, **more: Any) -> dict[str, Any]:
    """A step in which a model speaks."""
    return {"text": text, **more}


def model_settings(bedrock: FakeBedrock, **more: Any) -> dict[str, Any]:
    """Settings of a service whose models are the fake's."""
    return {
        "model": "bedrock",
        "bedrock_endpoint_url": bedrock.url,
        "decide_model": SMALL,
        "respond_model": LARGE,
        "explain_s": 0,
        **more,
    }


@asynccontextmanager
async def model_talk(home: Path, bedrock: FakeBedrock, **settings: Any) -> AsyncIterator[Talk]:
    """A new conversation with models."""
    async with services(home, **model_settings(bedrock, **settings)) as wired:
        yield Talk(wired.assistant)
