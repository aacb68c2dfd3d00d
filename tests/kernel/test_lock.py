from __future__ import annotations

import os
import subprocess
import sys

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import lock as module
from reconciler.kernel.lock import acquire

HOLD = (
    "import sys\n"
    "from reconciler.kernel.lock import acquire\n"
    "from reconciler.kernel.namespace import Namespace\n"
    "lock = acquire(Namespace.parse(sys.argv[-1]), 'default')\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def holder(namespace, tmp_path):
    """Another process, called as a watcher is, that holds the lock until its input ends."""
    script = tmp_path / "reconciler"
    script.write_text(HOLD)
    descriptor = namespace._descriptor
    path = f"/proc/{os.getpid()}/fd/{descriptor}"
    process = subprocess.Popen(
        [sys.executable, str(script), "watch", "--netns", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.communicate()


def test_the_second_one_is_refused_with_the_name_of_the_first(namespace, holder):
    with pytest.raises(UnavailableError, match=rf"^watch \(pid {holder.pid}\) already works as owner default in names"):
        acquire(namespace, "default")


def test_the_lock_goes_with_the_process_that_holds_it(namespace, holder):
    holder.kill()
    holder.wait()
    acquire(namespace, "default").close()


def test_waiting_gets_it_when_it_is_let_go(namespace):
    first = acquire(namespace, "default")
    waits = []

    def pause(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            first.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "sleep", pause)
        acquire(namespace, "default", wait=60).close()
    assert len(waits) == 3


def test_waiting_ends(namespace):
    with acquire(namespace, "default"), pytest.raises(UnavailableError, match=r"\(waited 0.01 s\)"):
        acquire(namespace, "default", wait=0.01)


def test_other_owners_and_other_namespaces_are_free(make_namespace):
    one, other = make_namespace(), make_namespace()
    with acquire(one, "default"), acquire(one, "second"), acquire(other, "default"):
        pass
    acquire(one, "default").close()


def test_many_refusals_do_not_wear_out_the_answer(namespace):
    with acquire(namespace, "default"):
        for _ in range(300):
            with pytest.raises(UnavailableError, match=rf"\(pid {os.getpid()}\)"):
                acquire(namespace, "default")


def test_a_holder_that_is_just_ending_is_named_as_well_as_it_can_be(namespace, monkeypatch):
    monkeypatch.setattr(module, "_bind", lambda _: None)
    with pytest.raises(UnavailableError, match=r"^another process already works"):
        acquire(namespace, "default")


def test_a_name_too_long_for_a_lock_is_refused_in_words(namespace):
    with pytest.raises(UnavailableError, match=r"cannot be taken: AF_UNIX path too long"):
        acquire(namespace, "x" * 200)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/usr/bin/python3", "/usr/bin/reconciler", "--netns", "watch"], "watch"),
        (["python3", "-m", "reconciler", "apply", "f"], "apply"),
        (["reconciler"], "reconciler"),
        (["/sbin/other", "-x"], "other"),
        ([], "another process"),
    ],
)
def test_a_process_is_called_by_its_command(words, expected, monkeypatch, tmp_path):
    (tmp_path / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    monkeypatch.setattr(module, "open", lambda *_: (tmp_path / "cmdline").open("rb"), raising=False)
    assert module._command(1) == expected
