"""`python -m evals stores`: the races come out right on SQLite, and a store that breaks is told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from evals.__main__ import main
from evals.service import stores_command
from evals.service.stores_races import LIMIT, TAKERS, TAKES, Raced, race
from infra.stores_sqlite import SqliteStores

RIGHT = Raced(admitted=100, one_won=50, refused_with=409, stored=1000, new=1000)


def test_races_on_sqlite_are_printed_as_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stores", "--only", "sqlite", "--json"]) == 0
    *lines, figures = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 3
    assert Raced(**json.loads(figures)["SQLite"]) == RIGHT


async def test_a_store_that_loses_count_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = await SqliteStores.open()

    async def generous(*_: Any, **__: Any) -> int:
        return 1

    monkeypatch.setattr(stores.quotas, "take", generous)
    found = await race(stores)
    await stores.close()
    assert found == replace(RIGHT, admitted=TAKERS * TAKES) and not found.right
    assert TAKERS * TAKES > LIMIT


def test_what_is_broken_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {"SQLite": replace(RIGHT, stored=1001)}
    monkeypatch.setattr(stores_command, "measure", lambda names: wrong)
    assert main(["stores"]) == 1
    assert "1,001 stored" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["stores", "--only", "oracle"])
