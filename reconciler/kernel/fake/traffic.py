"""The fake kernel's queues: HTB roots, their classes, their filters (net/sched/sch_htb.c, cls_api.c)."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, ENODEV, ENOENT
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake.errors import DeniedError

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.tc.class_ import Class
    from reconciler.resources.tc.filter import Filter
    from reconciler.resources.tc.qdisc import Qdisc

R2Q = 10


def add_root(store: Store, qdisc: Qdisc, mark: int | None) -> None:
    """RTM_NEWQDISC with NLM_F_CREATE and NLM_F_EXCL."""
    if store.first("device", lambda d: d.name == qdisc.dev) is None:
        raise DeniedError(ENODEV, f"Cannot find device {qdisc.dev}")
    if _root(store, qdisc.dev) is not None:
        raise DeniedError(EEXIST, "NLM_F_REPLACE needed to override.")
    store.add("qdisc", qdisc._replace(r2q=qdisc.r2q or R2Q), mark)


def delete_root(store: Store, dev: str) -> None:
    """RTM_DELQDISC: all classes and filters go along."""
    root = _root(store, dev)
    if root is None:
        raise DeniedError(ENOENT, "Cannot delete qdisc with handle of zero.")
    store.remove("qdisc", root)
    for kind in ("class", "filter"):
        store.purge(kind, lambda one: one.dev == dev)


def add_class(store: Store, class_: Class, mark: int | None) -> None:
    """RTM_NEWTCLASS with NLM_F_CREATE and NLM_F_EXCL; without its parent the class lands at the root."""
    root = _needed(store, class_.dev)
    handle = root.value.handle
    if not (class_.classid.startswith(handle) and class_.parent.startswith(handle)):
        raise DeniedError(EINVAL, "Invalid argument")
    if _class(store, class_.dev, class_.classid) is not None:
        raise DeniedError(EEXIST, "File exists")
    parent = class_.parent if _class(store, class_.dev, class_.parent) is not None else handle
    store.add("class", _whole(class_)._replace(parent=parent), mark)


def change_class(store: Store, class_: Class) -> None:
    """RTM_NEWTCLASS without flags: all parameters are set; the parent stays, without a word."""
    thing = _class(store, class_.dev, class_.classid)
    if thing is None:
        raise DeniedError(ENOENT, "No such file or directory")
    store.write(thing, _whole(class_)._replace(parent=thing.value.parent))


def delete_class(store: Store, dev: str, classid: str) -> None:
    """RTM_DELTCLASS: not while it has classes, or filters that hold it."""
    thing = _class(store, dev, classid)
    if thing is None:
        raise DeniedError(ENOENT, "No such file or directory")
    children = store.first("class", lambda c: c.dev == dev and c.parent == classid)
    held = any(f.bound == classid for f in store.where("filter", lambda f: f.dev == dev))
    if children is not None or held:
        raise DeniedError(EBUSY, "HTB class in use.")
    store.remove("class", thing)


def put_filter(store: Store, filter_: Filter, mark: int | None, *, replace: bool) -> None:
    """RTM_NEWTFILTER with NLM_F_EXCL, or with NLM_F_REPLACE; it holds its class if that is there."""
    _needed(store, filter_.dev)
    for other in store.where("filter", lambda f: (f.dev, f.prio) == (filter_.dev, filter_.prio)):
        if other.value.handle != filter_.handle or not replace:
            heads = [(f.type, f.mask if f.type == "fw" else 0) for f in (other.value, filter_)]
            if heads[0] != heads[1]:
                raise DeniedError(EINVAL, "Specified filter kind does not match existing one")
    thing = _filter(store, filter_)
    if thing is not None and not replace:
        raise DeniedError(EEXIST, "Filter already exists.")
    if thing is None:
        thing = store.add("filter", filter_, mark)
    elif thing.value._replace(flowid=filter_.flowid) != filter_:
        raise DeniedError(EINVAL, "Invalid argument")
    store.write(thing, filter_)
    thing.bound = filter_.flowid if _class(store, filter_.dev, filter_.flowid) is not None else ""


def delete_filter(store: Store, filter_: Filter) -> None:
    """RTM_DELTFILTER by priority and handle."""
    thing = _filter(store, filter_)
    if thing is None:
        raise DeniedError(ENOENT, "Specified filter handle not found.")
    store.remove("filter", thing)


def _root(store: Store, dev: str) -> Thing | None:
    return store.first("qdisc", lambda q: q.dev == dev)


def _needed(store: Store, dev: str) -> Thing:
    root = _root(store, dev)
    if root is None:
        raise DeniedError(EINVAL, "Parent Qdisc doesn't exists.")
    return root


def _class(store: Store, dev: str, classid: str) -> Thing | None:
    return store.first("class", lambda c: (c.dev, c.classid) == (dev, classid))


def _filter(store: Store, filter_: Filter) -> Thing | None:
    return store.first("filter", lambda f: f[:3] == filter_[:3])


def _whole(class_: Class) -> Any:
    """Fill in what the kernel, or the tool on its behalf, chooses by itself."""
    chosen: dict[str, Any] = {"burst": 1600, "cburst": 1600, "quantum": 1000, "prio": 0}
    return class_._replace(**{name: value for name, value in chosen.items() if getattr(class_, name) is None})
