"""What goes wrong on a way: a daemon killed in mid-transfer, a full disk, a merge killed, a folder from a backup."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memories.core import records
from memories.core.paths import DataFolder
from tests.sync.ledger import Ledger, assert_equal_folders, assert_one, assert_tidy
from tests.sync.machine import Machine
from tests.sync.needs import syncthing_home
from tests.sync.network import FOLDER, Network, joined
from tests.sync.other_syncs import PLACES
from tests.sync.sessions import conversation, session_id

pytestmark = [pytest.mark.install, pytest.mark.long, pytest.mark.xdist_group("sync")]

MEGABYTE = 1_000_000
SLOW_KBPS = 15_000
"""What a daemon may receive a second where a transfer shall be caught in the middle."""

PATIENCE = 300.0
MakeMachine = Callable[..., Machine]


def archive_large(machine: Machine, ledger: Ledger, megabytes: int) -> Path:
    """A session of that size comes to its end; its transcript below transcripts/."""
    project = machine.project("code/shop")
    said = [f"request {number}: " + os.urandom(500_000).hex() for number in range(megabytes // 2)]
    ledger.archived(machine.end_session(project, conversation(project, "large", said)))
    return Path(machine.folder.transcripts, f"{session_id('large')}.jsonl")


def store(machine: Machine, ledger: Ledger, texts: list[str]) -> list[str]:
    """Store notes; their uuids."""
    with machine.worker() as worker:
        answers = [worker("store", content=ledger.wrote(text), type="note", project="shop") for text in texts]
    return [answer["uuid"] for answer in answers]


def partial_files(machine: Machine) -> list[Path]:
    return sorted(Path(machine.folder.root).glob("transcripts/.syncthing.*.tmp"))


def test_a_daemon_killed_in_mid_transfer_leaves_nothing_half(make_machine: MakeMachine) -> None:
    alpha, beta = make_machine("alpha"), make_machine("beta")
    ledger = Ledger()
    with joined([alpha, beta]) as network:
        daemon = network.daemons["beta"]
        daemon.patch("/rest/config/options", {"maxRecvKbps": SLOW_KBPS, "limitBandwidthInLan": True})
        target = archive_large(alpha, ledger, 200)
        network.daemons["alpha"].post(f"/rest/db/scan?folder={FOLDER}")
        daemon.wait(lambda: any(path.stat().st_blocks * 512 > 20 * MEGABYTE for path in partial_files(beta)), PATIENCE)
        daemon.kill()
        [partial] = partial_files(beta)
        before = partial.stat()
        assert before.st_blocks * 512 < target.stat().st_size
        # the product looks at the folder meanwhile: there is no such session yet, and the partial file is not its own
        assert "0 turns" in beta.llm_memory("sync")
        assert not Path(beta.folder.transcripts, target.name).exists()
        assert (partial.stat().st_mtime_ns, partial.stat().st_blocks) == (before.st_mtime_ns, before.st_blocks)
        store(beta, ledger, ["Stored on beta while its daemon was dead."])
        daemon.start()
        daemon.patch("/rest/config/options", {"maxRecvKbps": 0})
        daemon.wait(lambda: Path(beta.folder.transcripts, target.name).exists(), PATIENCE)
        network.converge()
        assert partial_files(beta) == []
        assert_one([alpha, beta], ledger)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Path]:
    """A disk of that size at a path; skips, loudly, where none can be mounted."""
    path.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"FULL DISK SKIPPED: no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False, capture_output=True)


def fill(disk: Path) -> Path:
    """Take all the space there is; the file to remove."""
    ballast = disk / f"ballast {len(list(disk.glob('ballast*')))}"
    with ballast.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 1000, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def test_a_full_disk_on_one_side_stops_it_and_loses_nothing(make_machine: MakeMachine, tmp_path: Path) -> None:
    alpha, ledger = make_machine("alpha"), Ledger()
    with small_disk(tmp_path / "disk", 400) as disk:
        beta = make_machine("beta", below=disk)
        with joined([alpha, beta]) as network:
            both = store(alpha, ledger, [f"Both have note {number}." for number in range(10)])
            network.converge()
            network.cut(alpha, beta)
            edit(beta, ledger, both)
            edit(alpha, ledger, both)  # by their files' times the later ones: the copies are made on beta
            archive_large(alpha, ledger, 40)
            store(alpha, ledger, [f"Alpha stored {number} while beta's disk was full." for number in range(20)])
            network.daemons["alpha"].post(f"/rest/db/scan?folder={FOLDER}")
            network.daemons["beta"].post(f"/rest/db/scan?folder={FOLDER}")
            leave_room(disk, 8 * MEGABYTE)
            network.heal(alpha, beta)
            daemon = network.daemons["beta"]
            daemon.wait(lambda: daemon.get(f"/rest/folder/errors?folder={FOLDER}")["errors"], PATIENCE)
            daemon.wait(lambda: copies_left(beta), PATIENCE)
            fill(disk)
            # with not a byte left, both say what they could not do, and every version stays where it is
            said = beta.llm_memory("sync", code=None)
            assert "Traceback" not in said, said
            fill(disk)
            with beta.worker() as worker:
                refused = worker("store", content="There is no room for this.", type="note", project="shop")
            assert "free space" in refused["error"]
            for ballast in disk.glob("ballast*"):
                ballast.unlink()
            if not daemon.is_running:  # Syncthing ends where its own database finds no room
                daemon.start()
            network.converge()
            assert_one([alpha, beta], ledger)


def leave_room(disk: Path, size: int) -> None:
    """Take all the space but so many bytes."""
    ballast = fill(disk)
    os.truncate(ballast, ballast.stat().st_size - size)


def edit(machine: Machine, ledger: Ledger, uuids: list[str]) -> None:
    """Edit notes."""
    with machine.worker() as worker:
        for uuid in uuids:
            content = ledger.wrote(f"{uuid}, as {machine.name} has it")
            ledger.overwrote(worker("edit", uuid=uuid, fields={"content": content})["before"])


CONFLICTS = 150
KILLS = 12


def make_conflicts(folder: DataFolder, ledger: Ledger) -> None:
    """Records, each with two conflict copies, some of them deleted as well: what three machines leave each other."""
    for number in range(CONFLICTS):
        versions: list[dict[str, Any]] = []
        for machine in ("alpha", "beta", "gamma"):
            record = records.new_record(type="note", content=ledger.wrote(f"Note {number} of {machine}."))
            uuid = versions[0]["uuid"] if versions else record["uuid"]
            record.update(uuid=uuid, updated_at=f"2026-03-14T09:{number % 60:02}:00", origin=machine)
            versions.append(record)
        names = ("", ".sync-conflict-20260314-091244-ABCDEFG", " (1)")
        for name, record in zip(names, versions, strict=True):
            Path(folder.records, f"{record['uuid']}{name}.json").write_bytes(records.dump(record))
        if number % 5 == 0:
            grave = {**versions[0], "deleted_at": "2026-03-15T00:00:00"}
            Path(folder.trash, f"{grave['uuid']}.json").write_bytes(records.dump(grave))


def copies_left(machine: Machine) -> int:
    return sum("conflict" in name or "(1)" in name for name in os.listdir(machine.folder.records))


def test_a_process_killed_while_it_merges_leaves_what_the_next_one_ends(make_machine: MakeMachine) -> None:
    undisturbed, killed = make_machine("alpha"), make_machine("beta")
    ledger = Ledger()
    make_conflicts(undisturbed.folder, ledger)
    for place in PLACES:
        shutil.copytree(Path(undisturbed.folder.root, place), Path(killed.folder.root, place), dirs_exist_ok=True)
    undisturbed.llm_memory("sync")
    caught = 0
    for number in range(KILLS):
        if left := copies_left(killed):
            caught += kill_while_merging(killed, left - number)
    assert caught > 1, "hardly any was killed in the middle of its work"
    killed.llm_memory("sync")
    assert_one([undisturbed, killed], ledger)


def kill_while_merging(machine: Machine, wanted: int) -> bool:
    """Start a sync and kill it once there are fewer copies than wanted; whether copies were left then."""
    command = machine.inside(machine.home / ".local" / "bin" / "llm-memory", "sync")
    with subprocess.Popen(command, env=machine.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and copies_left(machine) >= wanted:
            pass
        process.kill()
    return process.returncode == -signal.SIGKILL


def notes_of_both(network: Network, ledger: Ledger) -> dict[str, list[str]]:
    """Notes that both machines have: what will happen to them -> uuids."""
    old = store(network.machines[0], ledger, [f"Note {number} of before the backup." for number in range(12)])
    network.converge()
    return {"untouched": old[:3], "edited": old[3:6], "deleted": old[6:9], "edited later": old[9:12]}


@pytest.mark.parametrize("how", ["its index is as old as the files", "its index is made anew"])
def test_a_folder_from_a_backup_loses_nothing_and_brings_nothing_back(make_machine: MakeMachine, how: str) -> None:
    """Edits made since stay the newer ones, what was deleted since stays deleted, what is new since comes again.

    With one exception: a Syncthing without its index takes what it finds for this machine's newest version, so a file
    that nobody but this machine changed since goes back to the backup's, on all. docs/sync.md says to import instead.
    """
    alpha, beta = make_machine("alpha"), make_machine("beta")
    ledger = Ledger()
    with joined([alpha, beta]) as network:
        notes = notes_of_both(network, ledger)
        daemon, home = network.daemons["alpha"], syncthing_home(alpha.home)
        daemon.stop()
        backup = alpha.home / "backup"
        for place in PLACES:
            shutil.copytree(Path(alpha.folder.root, place), backup / place)
        [index] = home.glob("index-*")
        shutil.copytree(index, backup / index.name)
        daemon.start()
        edit(beta, ledger, notes["edited"])
        with alpha.worker() as worker:
            for uuid in notes["deleted"]:
                worker("delete", uuid=uuid)
        with_index = how == "its index is as old as the files"
        if with_index:
            edit(alpha, ledger, notes["edited later"])
        new = store(alpha, ledger, ["Stored on alpha after its backup."])
        network.converge()
        daemon.stop()
        for place in PLACES:
            shutil.rmtree(Path(alpha.folder.root, place))
            shutil.copytree(backup / place, Path(alpha.folder.root, place))
        shutil.rmtree(index)
        if with_index:
            shutil.copytree(backup / index.name, index)
        daemon.start()
        network.converge()
        assert_one([alpha, beta], ledger)
        here = beta.records()
        assert all(uuid in here for uuid in (*notes["untouched"], *new))
        edited = notes["edited"] + (notes["edited later"] if with_index else [])
        assert all(here[uuid]["content"].startswith(uuid) for uuid in edited)
        assert all(uuid not in here and uuid in beta.records("trash") for uuid in notes["deleted"])


def test_a_backup_that_is_imported_loses_nothing_and_brings_nothing_back(make_machine: MakeMachine) -> None:
    """The way to put a backup back on a machine that has lost its folder: sync first, then import the bundle."""
    alpha, beta = make_machine("alpha"), make_machine("beta")
    ledger = Ledger()
    with joined([alpha, beta]) as network:
        notes = notes_of_both(network, ledger)
        bundle = alpha.home / "backup.tar"
        alpha.llm_memory("export", str(bundle))
        edit(beta, ledger, notes["edited"])
        with alpha.worker() as worker:
            for uuid in notes["deleted"]:
                worker("delete", uuid=uuid)
        edit(alpha, ledger, notes["edited later"])
        network.converge()
        alpha.llm_memory("import", str(bundle))
        network.converge()
        assert_one([alpha, beta], ledger)
        here = beta.records()
        assert all(here[uuid]["content"].startswith(uuid) for uuid in notes["edited"] + notes["edited later"])
        assert all(uuid not in here and uuid in beta.records("trash") for uuid in notes["deleted"])


def test_two_machines_with_the_same_conflicts_merge_them_to_the_same_bytes(make_machine: MakeMachine) -> None:
    """Whatever each of them merged before the link was back, and in whatever order."""
    alpha, beta = make_machine("alpha"), make_machine("beta")
    ledger = Ledger()
    make_conflicts(alpha.folder, ledger)
    for place in PLACES:
        shutil.copytree(Path(alpha.folder.root, place), Path(beta.folder.root, place), dirs_exist_ok=True)
    for number, path in enumerate(sorted(Path(beta.folder.records).iterdir())):
        if number % 3 and len(path.name) != 37:
            path.rename(path.with_name(path.name.replace(" (1)", ".sync-conflict-20270101-000000-GFEDCBA")))
    alpha.llm_memory("sync")
    beta.llm_memory("sync")
    assert_equal_folders([alpha, beta])
    for machine in (alpha, beta):
        assert_tidy(machine)
        ledger.assert_kept(machine)
