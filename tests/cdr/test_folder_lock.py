from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdr.folder_lock import LOCK_NAME, FolderLock
from dialer.errors import DialerError, ResourceBusy


def test_the_second_owner_is_told_who_the_first_is_and_what_to_do(tmp_path: Path) -> None:
    first = FolderLock(tmp_path / "a")
    first.acquire()
    with pytest.raises(ResourceBusy, match=rf"{tmp_path}/a.*process {os.getpid()}.*stop it.*dialer cdr"):
        FolderLock(tmp_path / "a").acquire()
    first.release()


def test_a_folder_that_was_given_back_can_be_taken(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_the_system_gives_back_what_a_killed_process_owned(tmp_path: Path) -> None:
    code = "import os, signal; from pathlib import Path; from cdr.folder_lock import FolderLock; import sys\n"
    code += "FolderLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)
    assert killed.returncode == -9
    assert (tmp_path / LOCK_NAME).exists()
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DialerError, match=r"file/in: the analytics folder cannot be used: Not a directory"):
        FolderLock(tmp_path / "file" / "in").acquire()
