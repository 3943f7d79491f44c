"""Settings: the dial, errors that name the variable, misspelt names, the session secret."""

import threading
from pathlib import Path

import pytest

from infra import settings as module
from infra.settings import SettingProblem, Settings, load, rows, session_secret, unknown_names


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty working directory, so that no .env of the developer counts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("USHER_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_embedded_is_the_default() -> None:
    settings = load()
    assert (settings.backend, settings.model, settings.index, settings.store) == (
        *("embedded", "offline", "local", "sqlite"),
    )
    assert (settings.host, settings.port, settings.session_secret) == ("127.0.0.1", 8000, None)


def test_dial_sets_defaults_and_each_choice_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_BACKEND", "aws")
    monkeypatch.setenv("USHER_MODEL", "offline")
    settings = load()
    assert (settings.model, settings.index, settings.store) == ("offline", "opensearch", "dynamodb")


def test_flags_win_over_the_environment_and_none_is_no_flag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USHER_PORT", "9000")
    assert load(port=None).port == 9000
    assert load(port=9001).port == 9001


def test_env_file_counts_below_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("USHER_PORT=7000\nUSHER_HOST=localhost\nOTHER=1\n", "utf-8")
    monkeypatch.setenv("USHER_PORT", "7001")
    assert (load().port, load().host) == (7001, "localhost")


def test_empty_values_count_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_PORT", "")
    assert load().port == 8000


def test_one_data_root_honours_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    settings = load()
    assert settings.home == Path("/srv/data/usher")
    assert settings.index_dir == Path("/srv/data/usher/index")
    assert settings.store_file == Path("/srv/data/usher/usher.sqlite3")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/invalid")
    monkeypatch.setenv("HOME", "/home/ann")
    assert load().home == Path("/home/ann/.local/share/usher")
    monkeypatch.setenv("USHER_HOME", "~/films")
    assert load().secret_file == Path("/home/ann/films/session.secret")


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_ALLOWED_ORIGINS", "https://a.example, http://localhost:3000,")
    assert load().allowed_origins == ("https://a.example", "http://localhost:3000")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("USHER_BACKEND", "azure", "USHER_BACKEND: input should be 'embedded' or 'aws'"),
        ("USHER_MODEL", "gpt", "USHER_MODEL: input should be 'offline', 'bedrock', 'ant"),
        ("USHER_PORT", "eighty", "USHER_PORT: input should be a valid integer"),
        ("USHER_PORT", "70000", "USHER_PORT: input should be less than or equal to 65535"),
        ("USHER_TURN_DEADLINE_S", "0", "USHER_TURN_DEADLINE_S: input should be greater than 0"),
        ("USHER_MAX_TURNS", "-1", "USHER_MAX_TURNS: input should be greater than or equal to 1"),
        ("USHER_ALLOWED_ORIGINS", "a.example", "USHER_ALLOWED_ORIGINS: an origin looks like http"),
        ("USHER_SESSION_SECRET", "hunter2", "USHER_SESSION_SECRET: must have 32 characters"),
    ],
)
def test_wrong_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingProblem) as problem:
        load()
    message = str(problem.value)
    assert message.startswith(expected)
    assert "\n" not in message
    assert "default factory" not in message
    assert "hunter2" not in message


def test_env_file_in_another_encoding_is_named() -> None:
    Path(".env").write_bytes("USHER_HOST=caf\xe9".encode("latin-1"))
    with pytest.raises(SettingProblem, match="save it as UTF-8"):
        load()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


def test_unknown_names_with_the_nearest_known_one() -> None:
    found = unknown_names({"USHER_MODLE": "x", "usher_prot": "1", "USHER_ZZZ": "", "PATH": "/bin"})
    assert [(one.name, one.suggestion) for one in found] == [
        ("USHER_MODLE", "USHER_MODEL"),
        ("USHER_ZZZ", None),
        ("usher_prot", "USHER_PORT"),
    ]
    assert unknown_names({module.variable(name): "" for name in Settings.model_fields}) == []


def test_unknown_names_are_looked_for_in_the_env_file_too() -> None:
    Path(".env").write_text("USHER_STROE=sqlite\n", "utf-8")
    assert [one.suggestion for one in unknown_names()] == ["USHER_STORE"]


def test_every_setting_is_explained_and_no_secret_shown() -> None:
    explained = rows(load(session_secret="s" * 32, port=9))
    assert all(row.doc.endswith(".") for row in explained)
    values = {row.variable: row.value for row in explained}
    assert values["USHER_SESSION_SECRET"] == "*" * 10
    assert {row.variable for row in explained if not row.is_default} == {
        "USHER_SESSION_SECRET",
        "USHER_PORT",
    }


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home")
    secret = session_secret(settings)
    assert len(secret) >= 32
    assert session_secret(settings) == secret
    assert settings.secret_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["session.secret"]
    assert session_secret(load(home=tmp_path / "other")) != secret


def test_given_secret_is_used_and_nothing_written(tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home", session_secret="k" * 40)
    assert session_secret(settings) == b"k" * 40
    assert not settings.home.exists()


def test_secret_made_by_many_at_once_is_one(tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home")
    found: set[bytes] = set()
    threads = [
        threading.Thread(target=lambda: found.add(session_secret(settings))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_secret_that_cannot_be_kept_or_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingProblem, match="USHER_HOME: cannot keep the session secret"):
        session_secret(load(home=tmp_path / "file" / "home"))
    settings = load(home=tmp_path)
    settings.secret_file.write_bytes(b"")
    with pytest.raises(SettingProblem, match=r"is damaged; delete it"):
        session_secret(settings)
