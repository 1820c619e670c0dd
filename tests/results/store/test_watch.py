"""A database that is deleted while it is in use: noticed, and saved."""

from pathlib import Path

import pytest

from results.store.store import Store
from search_spaces.common.errors import StoreError
from tests.results.store.stores import CONFIG, proposal, tell


@pytest.mark.parametrize("how", ["file", "with its log", "folder", "replaced"])
def test_a_database_deleted_in_use_is_noticed_and_saved(store: Store, url: str, tmp_path: Path, how: str) -> None:
    store.create("one", CONFIG)
    tell(store, "one")
    whole = store.run("one")
    folder = tmp_path / "runs"
    for path in list(folder.iterdir()):
        if path.name == "nas.db" or how != "file":
            path.unlink()
    if how == "folder":
        folder.rmdir()
    if how == "replaced":
        Store(url, writable=True).close()
    with pytest.raises(StoreError, match=r"nas-recovered\.db") as noticed:
        store.begin("one", proposal())
    assert ("replaced by another file" if how == "replaced" else "was deleted") in noticed.value.message
    with pytest.raises(StoreError, match=r"nas-recovered\.db"):
        store.check_present()
    assert [path.name for path in folder.glob("*recovered*.db")] == ["nas-recovered.db"], "saved once"
    saved = Store(f"sqlite:///{folder}/nas-recovered.db")
    assert saved.run("one").trials[:1] == whole.trials
    assert [trial.state for trial in saved.run("one").trials] == ["ok", "running"], "the last trial is there, too"
    saved.close()


def test_a_second_recovered_database_does_not_replace_the_first(store: Store, tmp_path: Path) -> None:
    (tmp_path / "runs" / "nas-recovered.db").write_text("the first")
    (tmp_path / "runs" / "nas.db").unlink()
    with pytest.raises(StoreError, match=r"nas-recovered-2\.db"):
        store.check_present()
    assert (tmp_path / "runs" / "nas-recovered.db").read_text() == "the first"
