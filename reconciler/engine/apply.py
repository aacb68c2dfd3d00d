"""Execute a plan, step by step; read again; on a refusal go back."""

from __future__ import annotations

from errno import EPERM
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from reconciler.core.desired import Desired
from reconciler.core.plan import SELF_MADE, plan_back
from reconciler.engine import memory
from reconciler.engine.preview import Preview, preview, refuse
from reconciler.errors import NotConvergedError, RefusedByKernelError, UnavailableError
from reconciler.kernel.live import Refusal
from reconciler.resources.base import Part
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from reconciler.config.document import Map
    from reconciler.core.change import Plan
    from reconciler.core.state import Key, State, Value
    from reconciler.kernel.live import Kernel
    from reconciler.resources.facts import Facts
    from reconciler.resources.owner import Owner

ROUNDS = 3
"""How often a plan may be followed by another one that nobody could foresee."""


class Listener(Protocol):
    """Who wants to know what happens."""

    def planned(self, found: Preview, *, previewed: bool) -> None:
        """Hear of a plan that is about to be executed; ``previewed`` if it is the one that was shown."""

    def noticed(self, words: str) -> None:
        """Hear of something worth a line."""


class Outcome(NamedTuple):
    """How it went."""

    final: Preview
    """The last look: its plan is empty but for what waits."""
    changed: int
    """How many changes were executed in all rounds."""


def converge(
    document: Map | None,
    kernel: Kernel,
    listener: Listener,
    *,
    adopt: bool = False,
    force: bool = False,
    around: bool = False,
    first: Preview | None = None,
) -> Outcome:
    """Make the kernel as the file says, in at most three rounds.

    :param around: repair what is not in conflict with foreign objects, instead of refusing everything.
    :param first: the preview that was shown; it is executed if what it touches has not changed since.
    :raises RefusedByKernelError: a change was refused and all was rolled back.
    :raises NotConvergedError: after three rounds there is still something to do.
    :raises UnsafeError: the plan would harm what is not ours.
    """
    found = first if first is not None else preview(document, kernel, adopt=adopt, around=around)
    shown = first is not None
    changed = 0
    for _ in range(ROUNDS):
        refuse(found, force=force, around=around)
        if not found.plan.changes:
            memory.settle(kernel.record, found.observed, found.desired)
            break
        if shown:
            found, shown = _again(found, document, kernel, adopt=adopt, around=around)
            refuse(found, force=force, around=around)
        listener.planned(found, previewed=shown)
        if _execute(found, kernel, listener):
            changed += len(found.plan.changes)
        found, shown = preview(document, kernel, adopt=adopt, around=around), False
        memory.settle(kernel.record, found.observed, found.desired)
    else:
        if found.plan.changes:
            left = ", ".join(_name(change.key, found) for change in found.plan.changes[:5])
            msg = (
                f"applied, but after {ROUNDS} rounds these still differ: {left}. "
                "Something else may be changing them; reconciler diff shows how"
            )
            raise NotConvergedError(msg)
    if changed:
        kernel.tidy(found.observed)
        kernel.record.save()
    return Outcome(found, changed)


def _again(found: Preview, document: Map | None, kernel: Kernel, *, adopt: bool, around: bool) -> tuple[Preview, bool]:
    """Read again just before writing; keep the plan that was shown if what it touches is as it was."""
    now = kernel.read(found.desired.values)
    if _touched_alike(found.plan, found.observed, now):
        return found._replace(observed=now), True
    return preview(document, kernel, adopt=adopt, around=around), False


def _touched_alike(shown: Plan, before: State, now: State) -> bool:
    return all(_holders(key, before) == _holders(key, now) for key in shown.touched())


def _holders(key: Key, state: State) -> tuple[Value | None, list[tuple[Value, int]]]:
    """Return what has a key, but for what runs down by itself."""
    kind, mine = KINDS[key[0]], state.ours.get(key)
    foreign = [(kind.steady(value), mark) for value, mark in state.foreign.get(key, ())]
    return None if mine is None else kind.steady(mine), foreign


def _execute(found: Preview, kernel: Kernel, listener: Listener) -> bool:
    """Execute all steps. False if all was rolled back, and planning anew is worth it.

    So it is if the refusal taught a fact about the kernel, or if somebody has changed it since it was read.
    """
    for step in found.plan.steps(KINDS):
        memory.before(kernel.record, step, found.observed, found.desired.values)
        try:
            kernel.execute(step)
        except Refusal as refusal:
            learned = _learn(kernel.facts, refusal)
            disturbed = _disturbed(found, kernel.read(found.desired.values))
            undone = _go_back(found, kernel)
            if learned is not None and undone:
                listener.noticed(f"this kernel has no classifier {kernel.facts.classifier}: {refusal.words}")
                kernel.facts = learned
                kernel.record.facts = learned.to_json()
                return False
            if disturbed and undone:
                listener.noticed(f"somebody changed {disturbed} meanwhile ({refusal.words}): looking again")
                return False
            told = _explain(refusal, found, kernel.owner, undone=undone)
            if refusal.errno == EPERM and undone:
                raise UnavailableError(f"{told}. Changing the network takes CAP_NET_ADMIN") from refusal
            raise RefusedByKernelError(told) from refusal
        except Exception:  # whatever it is, half a plan must not stay
            _go_back(found, kernel)
            raise
        memory.after(kernel.record, step)
    return True


def _disturbed(found: Preview, now: State) -> str:
    """Name an object that is neither as it was before the plan nor as the plan would leave it."""
    touched = found.plan.touched()
    before, after = found.observed.ours, found.plan.predicted.ours
    for key in {*before, *now.ours}:
        kind, value = KINDS[key[0]], now.ours.get(key)
        expected = [before.get(key), *([after.get(key), None] if key in touched else [])]
        alike = (v is value or (v is not None and value is not None and kind.same(v, value)) for v in expected)
        if not any(alike):
            shown = value if value is not None else before[key]
            return f"{kind.label or kind.name} {kind.title(shown, found.names)}"
    for key in touched:
        kind = KINDS[key[0]]
        new = key not in found.observed.foreign and any(h.mark not in SELF_MADE for h in now.foreign.get(key, ()))
        if new and not kind.shared:
            return f"{kind.name} {kind.title(now.foreign[key][0].value, found.names)}"
    return ""


def _go_back(found: Preview, kernel: Kernel) -> bool:
    """Bring what the plan touched, and the cascades that it caused, to where they were. True if that worked."""
    touched = found.plan.touched()
    for _ in range(ROUNDS):
        now = kernel.read(found.desired.values)
        back = plan_back(KINDS, found.observed, now, touched)
        if not back.changes:
            # Measured by no file: a value that is back where it was needs no remembering.
            memory.settle(kernel.record, now, Desired({}))
            kernel.tidy(now)
            kernel.record.save()
            return True
        try:
            for step in back.steps(KINDS):
                memory.before(kernel.record, step, now)
                kernel.execute(step)
                memory.after(kernel.record, step)
        except Refusal:
            continue
    now = kernel.read(found.desired.values)
    return not plan_back(KINDS, found.observed, now, touched).changes


def _learn(facts: Facts, refusal: Refusal) -> Facts | None:
    """Return better facts if a refusal contradicts them: the kernel lacks the classifier that was assumed."""
    if refusal.change is None or refusal.change.kind != "filter" or facts.classifier == "classify":
        return None
    if "classifier" not in refusal.words.lower() and refusal.errno != 2:
        return None
    following = {"fw": "bpf", "bpf": "classify"}[facts.classifier]
    return facts._replace(classifier=following, classifier_source=f"the kernel refused {facts.classifier}")


def _explain(refusal: Refusal, found: Preview, owner: Owner, *, undone: bool) -> str:
    """Say what was refused, in the kernel's words, where it stands in the file, and what became of the rest."""
    end = (
        "all changes were rolled back"
        if undone
        else "rolling back did not succeed wholly: reconciler diff shows what is left"
    )
    change = refusal.change
    if change is None:
        return f"refused: {refusal.words}; {end}"
    where = position_of(change.key, refusal.part, found)
    value: Any = change.after if change.after is not None else change.before
    kind = KINDS[change.kind]
    what = kind.describe(value, found.names)
    if refusal.part is not None and hasattr(value, "rules"):
        rule = kind.describe_part(Part("create", value.rules[refusal.part].text), owner)
        what = f"{kind.title(value, found.names).replace(owner.chain_prefix, '')}: {rule}"
    why = refusal.words
    if change.kind == "link" and why.startswith("Unknown device type"):
        why += f" (this kernel lacks the module for links of the type {value.type})"
    return f"{where}{change.action} {kind.label or kind.name} {what}: refused: {why}; {end}"


def position_of(key: Key, part: int | None, found: Preview) -> str:
    """Return ``file:line: `` of an object or of one of its parts; empty where the file does not name it."""
    origin = found.desired.origins.get(key)
    if origin is None:
        return ""
    at = origin.parts[part] if part is not None and part < len(origin.parts) else origin.position
    return f"{at}: "


def _name(key: Key, found: Preview) -> str:
    value = found.plan.predicted.ours.get(key) or found.observed.ours.get(key)
    return f"{key[0]} {KINDS[key[0]].title(value, found.names)}" if value is not None else " ".join(map(str, key))
