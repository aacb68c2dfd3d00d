"""From a file to a converged kernel. The only code that writes through ``kernel``.

    source ─► desire ─► preview ─► (refuse) ─► apply ─► verify ─► settled in the record

``preview`` is the whole of ``diff``; ``apply`` executes what a preview holds, and nothing else.
"""
