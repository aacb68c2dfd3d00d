"""PURE: the kinds of kernel objects. One file a kind; ``registry`` lists them.

A kind's file holds its value, its stanza of the schema, how the file's words become values, how the kernel's
messages are read and written, the same as a command line, and how people see it. Nothing here opens a socket
or a file. To add a kind, add its file here and its line in ``registry``, and nothing elsewhere.
"""
