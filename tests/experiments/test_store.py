import sqlite3
import subprocess
import sys
import textwrap

import pytest

from autoglyph.experiments.store import Store, StoreError, TrialRecord


def trial(number: int, metrics: str = '{"top1": 1.0}') -> TrialRecord:
    return TrialRecord(number, 0, "completed", "[1,2]", "[]", metrics, None, 0.0, None)


def new_run(store: Store, name: str | None = "r"):
    return store.create_run(name, "space", {"trials": 3}, [{"name": "a"}])


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "record.db"
    with Store(path, create=True) as store:
        run = new_run(store)
        store.append_trials(run.run, [trial(0), trial(1)])
        store.append_event(run.run, "finished", {"trials": 2})
    with Store(path) as store:
        assert store.run("r").experiment == {"trials": 3}
        assert store.trials(run.run) == [trial(0), trial(1)]
        assert store.trials(run.run, since=1) == [trial(1)]
        assert store.trial_counts() == {run.run: 2}
        assert [(kind, payload) for _, kind, payload in store.events(run.run)] == [("finished", {"trials": 2})]


def test_names_count_up_and_are_not_taken_twice(tmp_path):
    with Store(tmp_path / "record.db", create=True) as store:
        assert [new_run(store, None).name for _ in range(2)] == ["space-1", "space-2"]
        with pytest.raises(StoreError, match="autoglyph resume space-1"):
            new_run(store, "space-1")
        with pytest.raises(StoreError, match="its runs: space-1, space-2"):
            store.run("other")


def test_finished_trials_never_change(tmp_path):
    path = tmp_path / "record.db"
    with Store(path, create=True) as store:
        run = new_run(store)
        store.append_trials(run.run, [trial(0)])
        with pytest.raises(StoreError, match="another process is writing the same run"):
            store.append_trials(run.run, [trial(1), trial(0)])
        assert len(store.trials(run.run)) == 1, "a transaction is recorded whole or not at all"
    database = sqlite3.connect(path)
    for statement in ("UPDATE trials SET metrics = '{}'", "DELETE FROM trials", "UPDATE runs SET name = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="never change"):
            database.execute(statement)
    database.close()


def test_a_reader_does_not_block_the_writer(tmp_path):
    path = tmp_path / "record.db"
    with Store(path, create=True) as writer, Store(path) as reader:
        run = new_run(writer)
        reader._db.execute("BEGIN")
        assert reader.trials(run.run) == []
        writer.append_trials(run.run, [trial(0)])
        assert reader.trials(run.run) == [], "a snapshot"
        reader._db.execute("ROLLBACK")
        assert reader.trials(run.run) == [trial(0)]


def test_files_that_are_no_record_are_refused(tmp_path):
    path = tmp_path / "x.db"
    with pytest.raises(StoreError, match="run a search first"):
        Store(path)
    path.write_text("a,b\n1,2\n" * 50)
    with pytest.raises(StoreError, match="not a record of Autoglyph"):
        Store(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (a)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="another program"):
        Store(path, create=True)
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="no folder"):
        Store(tmp_path / "missing" / "x.db", create=True)


def test_a_record_cut_short_is_refused(tmp_path):
    path = tmp_path / "record.db"
    with Store(path, create=True) as store:
        run = new_run(store)
        store.append_trials(run.run, [trial(n) for n in range(2000)])
    whole = path.read_bytes()
    for size in (50, 5000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StoreError, match="cut short|not a record"):
            Store(path)
    path.write_bytes(whole)
    with Store(path) as store:
        assert len(store.trials(run.run)) == 2000


def test_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "record.db"
    Store(path, create=True).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer Autoglyph"):
        Store(path)


@pytest.mark.parametrize("limit", [80_000, 150_000, 300_000, 1_000_000])
def test_a_full_disk_leaves_the_record_intact(tmp_path, limit):
    """A limit on the size of files stands in for the disk: the kernel refuses the write all the same."""
    path = tmp_path / "record.db"
    program = textwrap.dedent(
        f"""
        import resource, sys
        from autoglyph.experiments.store import Store, StoreError, TrialRecord
        store = Store({str(path)!r}, create=True)
        run = store.create_run("r", "space", {{}}, [])
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        done = 0
        try:
            while done < 100_000:
                trials = [TrialRecord(done + i, 0, "completed", "[1]", "[]", "{{}}", None, 0, None) for i in range(100)]
                store.append_trials(run.run, trials)
                done += 100
        except StoreError as error:
            print(done, error)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    number, _, message = done.stdout.partition(" ")
    assert "free some space" in message and "autoglyph resume" in message
    with Store(path) as store:
        assert len(store.trials(1)) == int(number) > 0
        store.append_trials(1, [trial(int(number))])
