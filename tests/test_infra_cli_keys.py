"""`usher keys`: made, listed, revoked; the secret is shown once."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import app
from tools.api_keys import digest_of, new_key, opens, parse

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("USHER_HOME", str(tmp_path))

    def usher(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["usher", *arguments])
        code = 0
        try:
            app()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return usher


def test_made_listed_revoked(run: Run) -> None:
    assert run("keys", "list")[1].startswith("no keys")
    code, text, _ = run("keys", "create", "shop")
    parsed = parse(text.strip())
    assert code == 0 and parsed is not None
    key_id, secret = parsed
    _, listed, _ = run("keys", "list")
    assert re.fullmatch(rf"{key_id}  \d{{4}}-\d\d-\d\d  active  shop\n", listed)
    assert secret not in listed
    assert run("keys", "revoke", key_id)[:2] == (0, "revoked: shop\n")
    assert "  revoked 2" in run("keys", "list")[1]


def test_what_cannot_be_done_is_one_line(run: Run) -> None:
    for arguments in (("revoke", "nope"), ("create", " "), ("create", "x" * 101)):
        code, out, err = run("keys", *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_key_opens_with_its_own_secret_until_it_is_revoked() -> None:
    made = new_key("shop", 1.0)
    parsed = parse(made.text)
    assert parsed is not None
    assert parsed[0] == made.kept.key_id
    assert made.kept.digest == digest_of(parsed[1]) and parsed[1] not in repr(made.kept)
    assert opens(made.kept, parsed[1])
    assert not opens(made.kept, parsed[1][:-1])
    assert new_key("shop", 1.0).text != made.text


@pytest.mark.parametrize(
    "text", ["", "usher", "usher_", "usher_a", "usher__b", "other_a_b", "a.b.c"]
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert parse(text) is None
