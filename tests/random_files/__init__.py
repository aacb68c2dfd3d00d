"""Random files on a real kernel: whatever two files say, going from one to the other and back keeps the promises.

``story`` draws what is tried: a host, things of others, two files. Each section of the language has a module of its
own with a function ``draw``, which yields what may be added to a file; whoever adds a kind extends one, or adds one
and names it in ``sections``. ``names`` holds the few names and prefixes that all of them use, so that all collides.
``trial`` plays a story on a kernel and says what was broken; ``shrink`` finds the smallest story that still breaks it.

    RECONCILER_RANDOM_FILES=500          that many stories instead of the few of ``make test``
    RECONCILER_RANDOM_FILES_FROM=100000  beginning with this number
    RECONCILER_RANDOM_FILES_SEED=17      only this one
"""
