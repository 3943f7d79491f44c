"""Amazon Bedrock's Converse API through LangChain AWS, as a Transport.

Knows ChatBedrockConverse, botocore's errors and how a blocking stream is read and broken off from
an event loop. Does not know retries or schemas (models.py). Imported by wiring on demand: LangChain
costs 1.7 s.

ChatBedrockConverse has no async of its own: each call holds one thread of an executor sized for it,
and its socket is shut down when the caller goes away, also while the answer has not begun.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any, cast

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from langchain_aws import ChatBedrockConverse
from langchain_core.exceptions import LangChainException
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from urllib3.exceptions import HTTPError

from agent.model import FailureKind, Message, ModelFailure, Tokens, ToolSpec
from infra.models import CallPiece, Piece, Request

CACHE_POINT = {"cachePoint": {"type": "default"}}
CONNECT_S = 3.0
READ_S = 30.0
"""A last resort: models.py gives up much earlier, and closes the socket."""
KINDS: dict[str, FailureKind] = {
    "throttlingexception": "throttled",
    "toomanyrequestsexception": "throttled",
    "servicequotaexceededexception": "throttled",
    "modeltimeoutexception": "timeout",
    "internalserverexception": "server",
    "serviceunavailableexception": "server",
    "modelnotreadyexception": "server",
    "modelerrorexception": "server",
    "modelstreamerrorexception": "server",
}
"""By error code; any other (access, validation, unknown model) will not pass by itself."""


@dataclass(frozen=True, slots=True)
class BedrockSettings:
    """How to reach Bedrock; what is None is left to the AWS configuration."""

    region: str | None = None
    endpoint_url: str | None = None
    streams: int = 64
    """Calls at once: threads and connections."""
    max_tokens: int = 1500
    guardrail: str | None = None
    """`id:version`."""
    prompt_cache: bool = False
    provider: str | None = None
    """For ARNs, which do not say it: anthropic, amazon, ..."""
    base_model: str | None = None
    """For application inference profiles: the model behind it."""
    metadata: tuple[tuple[str, str], ...] = (("application", "usher"),)


class Bedrock:
    """What all models of one region share: a client and its threads."""

    def __init__(self, settings: BedrockSettings) -> None:
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            max_pool_connections=settings.streams,
            retries={"total_max_attempts": 1, "mode": "standard"},  # models.py tries again
            tcp_keepalive=True,
            parameter_validation=False,  # Bedrock checks them as well
        )
        self.settings = settings
        self.client = boto3.client(
            "bedrock-runtime",
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=config,
        )
        # Private, and the only way to a socket that has not answered yet. Were it gone, a cancelled
        # call would end with its time-out; tests/test_infra_models_bedrock.py would tell.
        manager = self.client._endpoint.http_session._manager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        self.executor = ThreadPoolExecutor(settings.streams, thread_name_prefix="usher-bedrock")

    def model(self, model_id: str) -> "BedrockTransport":
        """A model by any id, profile or ARN that Bedrock takes. Raises: ValueError."""
        given = self.settings
        if "application-inference-profile" in model_id and not given.base_model:
            raise ValueError("name the model behind it with USHER_BEDROCK_BASE_MODEL")
        options: dict[str, Any] = {}
        if given.guardrail:
            identifier, _, version = given.guardrail.partition(":")
            options["guardrail_config"] = {
                "guardrailIdentifier": identifier,
                "guardrailVersion": version or "DRAFT",
            }
        if given.provider or model_id.startswith("arn:"):
            options["provider"] = given.provider or "anthropic"
        if given.base_model:
            options["base_model_id"] = given.base_model
        chat = ChatBedrockConverse(
            model=model_id,
            client=_Client(self.client),
            bedrock_client=self.client,
            max_tokens=given.max_tokens,
            disable_streaming=False,  # else models it has not heard of are not streamed
            request_metadata=dict(given.metadata),
            **options,
        )
        return BedrockTransport(chat, self.executor, given.prompt_cache)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.client.close()


class BedrockTransport:
    """One model on Bedrock."""

    def __init__(
        self, chat: ChatBedrockConverse, executor: ThreadPoolExecutor, prompt_cache: bool
    ) -> None:
        self._chat = chat
        self._executor = executor
        self._prompt_cache = prompt_cache

    @property
    def model_id(self) -> str:
        """As given: a base id, a profile or an ARN."""
        return str(self._chat.model_id)

    async def send(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer's pieces, read by a thread. Raises: ModelFailure."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Piece | ModelFailure | None] = asyncio.Queue()
        call = _Call()

        def put(piece: Piece | ModelFailure | None) -> None:
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(queue.put_nowait, piece)

        reading = loop.run_in_executor(self._executor, self._read, request, call, put)
        try:
            while (piece := await queue.get()) is not None:
                if isinstance(piece, ModelFailure):
                    raise piece
                yield piece
            await reading
        finally:
            call.abort()

    def _read(
        self, request: Request, call: "_Call", put: Callable[[Piece | ModelFailure | None], None]
    ) -> None:
        """Runs in a thread: everything that comes, then None."""
        _current.call = call
        try:
            for piece in self._pieces(request):
                put(piece)
        except (
            *(BotoCoreError, ClientError, HTTPError, LangChainException, OSError),
            *(ValueError, KeyError, TypeError),  # an answer that LangChain cannot read
        ) as error:
            put(_failure(error, self.model_id))
        finally:
            _current.call = None
            call.done()
            put(None)

    def _pieces(self, request: Request) -> Iterator[Piece]:
        options: dict[str, Any] = {}
        if request.tools:
            options["tools"] = self._tools(request.tools)
        _current.tool_calls = calls = dict[int, CallPiece]()
        system = [m for m in request.messages if m.role == "system"]
        rest = [m for m in request.messages if m.role != "system"]
        messages = [*self._system(system), *(one for m in rest for one in _lang_chain(m))]
        # What every LangChain model is made of. `stream` adds callbacks and traces that nobody has,
        # and joins all chunks once more at the end: a tenth of a call's processor time.
        for generated in self._chat._stream(messages, **options):
            chunk = cast(AIMessageChunk, generated.message)
            yield from _text_of(chunk)
            if chunk.usage_metadata:
                yield _tokens(chunk.usage_metadata)
        yield from calls.values()

    def _system(self, messages: list[Message]) -> list[BaseMessage]:
        if len(messages) == 1 and not self._prompt_cache:
            # The same on the wire; of blocks, LangChain reads type hints anew in every call.
            return [SystemMessage(content=messages[0].text)]
        blocks: list[Any] = [{"type": "text", "text": m.text} for m in messages]
        if blocks and self._prompt_cache:
            blocks.append(CACHE_POINT)
        return [SystemMessage(content=blocks)] if blocks else []

    def _tools(self, tools: tuple[ToolSpec, ...]) -> list[dict[str, Any]]:
        specs: list[dict[str, Any]] = [
            {
                "toolSpec": {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": {"json": dict(tool.schema)},
                }
            }
            for tool in tools
        ]
        return [*specs, CACHE_POINT] if self._prompt_cache else specs


# --- to and from LangChain ------------------------------------------------------------------------


def _lang_chain(message: Message) -> Iterator[BaseMessage]:
    if message.role == "assistant":
        calls = [{"name": c.name, "args": dict(c.arguments), "id": c.id} for c in message.calls]
        yield AIMessage(content=message.text, tool_calls=calls)
        return
    for result in message.results:
        status = "error" if result.failed else "success"
        yield ToolMessage(content=result.text, tool_call_id=result.call_id, status=status)
    if message.text:
        yield HumanMessage(content=message.text)


def _text_of(chunk: AIMessageChunk) -> Iterator[str]:
    """The text in a chunk, whose content is a string or a list of blocks, sometimes empty."""
    if isinstance(chunk.content, str):
        yield from [chunk.content] if chunk.content else []
        return
    for block in chunk.content:
        text = block if isinstance(block, str) else block.get("text", "")
        if text and (isinstance(block, str) or block.get("type") == "text"):
            yield text


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    """LangChain counts cached tokens into the input; we keep them apart, they cost otherwise."""
    details = usage.get("input_token_details", {})
    ttls = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    read, written = details.get("cache_read", 0), sum(details.get(name, 0) for name in ttls)
    fresh = usage.get("input_tokens", 0) - read - written
    return Tokens(max(0, fresh), usage.get("output_tokens", 0), read, written)


def _failure(error: Exception, model_id: str) -> ModelFailure:
    """The failure that an exception means; an EventStreamError is a ClientError by its code."""
    kind: FailureKind = "broken"
    what = type(error).__name__
    if isinstance(error, ClientError):
        what = str(error.response.get("Error", {}).get("Code", what))
        kind = KINDS.get(what.lower(), "denied")
    elif isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        kind = "refused"
    elif isinstance(error, ReadTimeoutError):
        kind = "timeout"
    elif isinstance(error, NoCredentialsError | PartialCredentialsError):
        kind = "denied"
    hint = "; see Models in the README" if kind == "denied" else ""
    return ModelFailure(kind, f"{model_id}: {what}{hint}")


# --- tool calls -----------------------------------------------------------------------------------


class _Client:
    """The client as LangChain sees it: parts of tool calls are taken out of the stream.

    LangChain would try to read each part as JSON by itself, shortened by one character after the
    other. Without that, without its callbacks and with a plain system text, a call that brings a
    plan takes 4 ms of a processor instead of 13 (two busy cores).
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def converse_stream(self, **given: Any) -> dict[str, Any]:
        """As the client's own."""
        answer = self._client.converse_stream(**given)
        return {**answer, "stream": _without_calls(answer["stream"], _current.tool_calls)}


def _without_calls(stream: Any, calls: dict[int, CallPiece]) -> Iterator[dict[str, Any]]:
    """The events but those of tool calls, which are put together by the block they belong to."""
    try:
        for event in stream:
            start, delta = event.get("contentBlockStart"), event.get("contentBlockDelta")
            if start and "toolUse" in start["start"]:
                begun = start["start"]["toolUse"]
                index = start["contentBlockIndex"]
                calls[index] = CallPiece(begun["toolUseId"], begun["name"], "")
            elif delta and "toolUse" in delta["delta"]:
                index = delta["contentBlockIndex"]
                old = calls.get(index, CallPiece("", "", ""))
                more = delta["delta"]["toolUse"]["input"]
                calls[index] = CallPiece(old.id, old.name, old.arguments + more)
            else:
                yield event
    finally:
        stream.close()


# --- breaking off a call that blocks --------------------------------------------------------------


@dataclass
class _Call:
    """One call in flight: the sockets it reads from, and whether it was given up."""

    sockets: list[Any] = field(default_factory=list)
    aborted: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reads_from(self, socket: Any) -> None:
        with self.lock:
            self.sockets.append(socket)
        if self.aborted:
            self.abort()

    def done(self) -> None:
        """The sockets go back to the pool: they are no longer ours to shut down."""
        with self.lock:
            self.sockets.clear()

    def abort(self) -> None:
        """Shut the sockets down, which wakes the thread that reads; harmless after the end."""
        self.aborted = True
        with self.lock:
            sockets, self.sockets = self.sockets, []
        for socket in sockets:
            with suppress(OSError):
                socket.shutdown(SHUT_RDWR)


class _Current(threading.local):
    call: _Call | None = None
    tool_calls: dict[int, CallPiece]
    """Of the answer that this thread reads."""


_current = _Current()


class _Tells:
    """A connection that tells the call of its thread which socket it waits on."""

    sock: Any

    def getresponse(self) -> Any:
        if _current.call is not None and self.sock is not None:
            _current.call.reads_from(self.sock)
        return super().getresponse()  # type: ignore[misc]  # of the connection it is mixed into


class _Connection(_Tells, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    pass


class _TlsConnection(_Tells, AWSHTTPSConnection):  # type: ignore[misc]  # as above
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]  # as above
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]  # as above
    ConnectionCls = _TlsConnection
