"""The only package that touches the kernel: netlink, tools, procfs, events, the record, the lock.

It knows no kind of object: what a message or a line means is the business of ``resources``. Each function
works in the namespace that it is given, and says in an ``UnavailableError`` what is missing and what helps.
"""
