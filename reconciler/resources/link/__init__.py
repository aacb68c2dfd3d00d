"""Links: what ``ip link`` shows. One file a type of link; ``types`` lists them.

``link`` is an interface that the file creates; ``device`` is what is set on any interface, whoever made it.
"""
