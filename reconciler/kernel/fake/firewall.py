"""The fake iptables: chains of ours, jumps to them, foreign rules, policies. One line at a time."""

from __future__ import annotations

from errno import EBUSY, ENOENT
from typing import TYPE_CHECKING

from reconciler.kernel.fake.errors import DeniedError

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.iptables.chain import Chain
    from reconciler.resources.iptables.jump import Jump
    from reconciler.resources.iptables.policy import Policy

OWN = "rc."
"""What the names of chains begin with that have to be there before a rule can lead to them."""


def put_chain(store: Store, chain: Chain, mark: int | None) -> None:
    """``:CHAIN - [0:0]`` and its rules; a chain that is there is emptied first."""
    thing = _chain(store, chain.family, chain.table, chain.name)
    if thing is None:
        thing = store.add("chain", chain._replace(rules=()), mark)
    for line in chain.rules:
        words = line.text.split()
        for at, word in enumerate(words[:-1]):
            target = words[at + 1]
            leads = word in ("-j", "-g") and target.startswith(OWN)
            if leads and _chain(store, chain.family, chain.table, target) is None:
                raise DeniedError(ENOENT, f"Couldn't load target `{target}'")
    store.write(thing, chain)


def change_chain(store: Store, chain: Chain) -> None:
    """``-D CHAIN n`` and ``-I CHAIN n``."""
    if _chain(store, chain.family, chain.table, chain.name) is None:
        raise DeniedError(ENOENT, "No chain/target/match by that name.")
    put_chain(store, chain, None)


def delete_chain(store: Store, chain: Chain) -> None:
    """``-F CHAIN`` and ``-X CHAIN``: not while a rule leads to it."""
    thing = _chain(store, chain.family, chain.table, chain.name)
    if thing is None:
        raise DeniedError(ENOENT, "No chain/target/match by that name.")
    place = (chain.family, chain.table)
    jumps = store.where("jump", lambda j: j[:2] == place and j.target == chain.name)
    rules = (
        line.text.split()
        for other in store.where("chain", lambda c: c[:2] == place and c.name != chain.name)
        for line in other.value.rules
    )
    if any(True for _ in jumps) or any(chain.name in words for words in rules):
        raise DeniedError(EBUSY, "CHAIN_DEL failed (Device or resource busy)")
    store.remove("chain", thing)


def add_jump(store: Store, jump: Jump, mark: int | None) -> None:
    """``-I CHAIN 1`` or ``-A CHAIN``; a second one is no error."""
    if _chain(store, jump.family, jump.table, jump.target) is None:
        raise DeniedError(ENOENT, f"Couldn't load target `{jump.target}'")
    copies = sum(1 for _ in store.where("jump", lambda j: j[:4] == jump[:4]))
    store.add("jump", jump._replace(copy=copies), mark)


def delete_jump(store: Store, jump: Jump) -> None:
    """``-D CHAIN RULE``: the first that is equal."""
    thing = store.first("jump", lambda j: j[:4] == jump[:4])
    if thing is None:
        raise DeniedError(ENOENT, "Bad rule (does a matching rule exist in that chain?)")
    store.remove("jump", thing)
    for number, other in enumerate(store.where("jump", lambda j: j[:4] == jump[:4])):
        other.value = other.value._replace(copy=number)


def set_policy(store: Store, policy: Policy) -> None:
    """``-P CHAIN POLICY``."""
    thing = store.first("policy", lambda p: p[:3] == policy[:3])
    if thing is None:
        raise DeniedError(ENOENT, "Bad built-in chain name.")
    store.write(thing, policy)


def _chain(store: Store, family: int, table: str, name: str) -> Thing | None:
    return store.first("chain", lambda c: c[:3] == (family, table, name))
