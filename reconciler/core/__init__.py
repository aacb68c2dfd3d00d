"""The pure heart: states, changes and plans. It knows no kind of object and no kernel.

Everything here is a function of its arguments. What differs from kind to kind comes in through
``core.kind.Kind``; what the kernel does by itself comes in through a kind's ``takes`` and ``brings``.

    desired ─► fill ─► split (ready | pending) ─┐
                                                ├─► plan ─► changes in order, and the state they lead to
    observed ───────────────────────────────────┘

``plan`` is the preview, the verification (must be empty), the drift detector and the way back.
"""
