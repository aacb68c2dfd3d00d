"""Settings are read and written in their own namespace; what cannot be written is known before."""

from __future__ import annotations

import ctypes
import errno
import os
import threading

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.procfs import Settings

FORWARD = ("ipv4", "ip_forward")
LO = ("ipv4", "conf", "lo", "rp_filter")
NOWHERE = ("ipv4", "conf", "nowhere0", "rp_filter")
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS, CLONE_FS = 0x20000, 0x200


@pytest.fixture
def settings(namespace):
    return Settings(namespace)


def with_read_only_proc_sys(function):
    """Call a function in a thread with mounts of its own, in which /proc/sys is read-only, as in a container."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []

    def inside():
        for status in (
            libc.unshare(CLONE_NEWNS | CLONE_FS),
            libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None),
            libc.mount(b"/proc/sys", b"/proc/sys", None, MS_BIND, None),
            libc.mount(None, b"/proc/sys", None, MS_REMOUNT | MS_BIND | MS_RDONLY, None),
        ):
            if status:
                found.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
                return
        try:
            found.append(function())
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    return found[0]


def test_files_are_read_and_one_that_is_not_there_is_none(settings):
    assert settings.read([FORWARD, LO, NOWHERE]) == {FORWARD: "0", LO: "0", NOWHERE: None}
    assert settings.writes == 0


def test_nothing_is_entered_or_read_where_nothing_is_asked():
    class Closed(Namespace):
        def run(self, function):  # noqa: ARG002
            raise AssertionError

    assert Settings(Closed()).read([]) == {}
    assert Settings(Closed()).sealed([]) == {}


def test_a_write_reaches_that_namespace_and_no_other(settings, make_namespace):
    other = Settings(make_namespace())
    here = Settings(Namespace()).read([FORWARD])
    settings.write(FORWARD, "1\n")
    assert settings.read([FORWARD]) == {FORWARD: "1"}
    assert other.read([FORWARD]) == {FORWARD: "0"}
    assert Settings(Namespace()).read([FORWARD]) == here
    assert (settings.writes, other.writes) == (1, 0)


def test_a_name_with_dots_is_one_part(settings, inside):
    inside("ip link add name a.b type veth peer name c.d")
    path = ("ipv4", "conf", "a.b", "rp_filter")
    settings.write(path, "2")
    assert settings.read([path]) == {path: "2"}


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [
        (FORWARD, "nonsense", errno.EINVAL),
        (("ipv6", "conf", "lo", "addr_gen_mode"), "99", errno.EINVAL),
        (NOWHERE, "1", errno.ENOENT),
    ],
)
def test_what_the_kernel_refuses_is_an_error_in_its_words(settings, path, text, number):
    with pytest.raises(OSError, match=os.strerror(number)) as refused:
        settings.write(path, text)
    assert refused.value.errno == number


def test_what_cannot_be_read_is_not_taken_for_missing(tmp_path):
    (tmp_path / "ipv4").mkdir()
    (tmp_path / "ipv4" / "ip_forward").mkdir()
    with pytest.raises(UnavailableError, match="ip_forward cannot be read: Is a directory"):
        Settings(Namespace(), str(tmp_path)).read([FORWARD])


def test_what_can_be_written_and_what_is_not_there_is_not_sealed(settings):
    assert settings.sealed([FORWARD, LO, NOWHERE]) == {}


def test_what_is_mounted_read_only_is_sealed_even_for_root():
    here = Settings(Namespace())
    assert with_read_only_proc_sys(lambda: here.sealed([FORWARD, NOWHERE])) == {FORWARD: "it is mounted read-only here"}
    refused = with_read_only_proc_sys(lambda: here.write(FORWARD, "0"))
    assert isinstance(refused, OSError)
    assert refused.errno == errno.EROFS


def test_what_this_user_may_not_write_is_sealed():
    found = Settings(Namespace(), "/proc/sys").sealed([("kernel", "ostype")])  # nobody may, not even root
    assert "may not write" in found["kernel", "ostype"]
