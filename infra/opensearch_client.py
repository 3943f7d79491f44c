"""The client of OpenSearch: address, credentials, signatures.

Knows how to reach a self-hosted node, a managed domain (SigV4 for `es`) and Serverless (`aoss`).
Does not know indexes: retrieval/opensearch_index.py is handed the client, with its own retries off,
because there is one retry loop and it is there. Called by wiring.py.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import orjson

from infra.settings import SettingProblem, Settings

Auth = Literal["none", "basic", "es", "aoss"]

_AWS_HOST = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.(es|aoss)\.amazonaws\.com(?:\.cn)?$")
CONNECTIONS = 32
"""To one host at once: more than the turns that search at the same moment."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where OpenSearch is and how it wants to be spoken to."""

    host: str
    port: int
    tls: bool
    path: str
    auth: Auth
    region: str | None
    """From the host name, else from the settings; None leaves it to the AWS configuration."""
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """For messages: without credentials."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}{self.path}"

    @property
    def serverless(self) -> bool:
        """Whether it is a Serverless collection."""
        return self.auth == "aoss"


def address_of(settings: Settings) -> Address:
    """The address in the settings. Raises: SettingProblem naming the variable."""
    given = settings.opensearch_url
    if not given:
        raise SettingProblem(
            "USHER_OPENSEARCH_URL: missing, and USHER_INDEX is opensearch; "
            "give the address (http://127.0.0.1:9200), or set USHER_INDEX=local"
        )
    wrong = "USHER_OPENSEARCH_URL: an address looks like https://host:9200"
    try:
        url = urlsplit(given)
        port = url.port
    except ValueError:
        raise SettingProblem(wrong) from None
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise SettingProblem(wrong)
    tls = url.scheme == "https"
    aws = _AWS_HOST.search(url.hostname)
    auth = settings.opensearch_auth
    if auth == "auto":
        signed: Auth = "aoss" if aws and aws[2] == "aoss" else "es"
        auth = "basic" if url.username else signed if aws else "none"
    if auth == "basic" and not url.username:
        raise SettingProblem("USHER_OPENSEARCH_URL: basic needs https://user:password@host")
    return Address(
        host=url.hostname,
        port=port or (443 if tls else 9200),
        tls=tls,
        path=url.path.rstrip("/"),
        auth=auth,
        region=aws[1] if aws else settings.aws_region,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
    )


def connect(address: Address) -> Any:
    """An AsyncOpenSearch; nothing is sent yet. Raises: SettingProblem."""
    try:
        from opensearchpy import AsyncHttpConnection, AsyncOpenSearch
        from opensearchpy.exceptions import SerializationError
        from opensearchpy.serializer import JSONSerializer
    except ImportError:
        raise SettingProblem(
            "USHER_INDEX=opensearch needs more packages: pip install 'usher[aws]'"
        ) from None

    class Serializer(JSONSerializer):
        """The client's own reads with the standard library: four times as long."""

        def loads(self, s: str) -> Any:
            try:
                return orjson.loads(s)
            except ValueError as error:
                raise SerializationError(s, error) from error

    return AsyncOpenSearch(
        hosts=[{"host": address.host, "port": address.port, "url_prefix": address.path}],
        http_auth=_credentials(address),
        use_ssl=address.tls,
        verify_certs=address.tls,
        ssl_show_warn=False,
        connection_class=AsyncHttpConnection,
        serializer=Serializer(),
        pool_maxsize=CONNECTIONS,
        max_retries=0,
        retry_on_timeout=False,
        http_compress=False,
    )


def _credentials(address: Address) -> Any:
    match address.auth:
        case "none":
            return None
        case "basic":
            return (address.user, address.password)
        case "es" | "aoss":
            return _signer(address)


def _signer(address: Address) -> Any:
    import boto3
    from opensearchpy import AWSV4SignerAsyncAuth

    session = boto3.Session()
    region = address.region or session.region_name
    credentials = session.get_credentials()
    if region is None:
        raise SettingProblem(
            f"USHER_AWS_REGION: missing, and {address.shown} does not name a region; "
            "name it there or in the AWS configuration"
        )
    if credentials is None:
        raise SettingProblem(
            "USHER_OPENSEARCH_AUTH: no AWS credentials were found to sign with; give the usual "
            "ones (a role, a profile or AWS_ACCESS_KEY_ID), or set USHER_OPENSEARCH_AUTH=none"
        )
    return AWSV4SignerAsyncAuth(credentials, region, address.auth)
