"""From a file to a validated document, each value of which knows its place in the file.

Belongs here: reading YAML, the meaning of scalars and of ``${NAME}``, positions, and holding a document
against a JSON Schema. Knows no object of the kernel: what ``mark`` or ``via`` mean is said by the schema,
which is handed in, and by ``resources``, which reads what comes out.

    load ─► syntax (where it is no YAML) ─► build (events to values) ─► Map and Seq with positions ─► validate
    validate: accept (fast) says yes, or explain (jsonschema, imported only then) says what is wrong and where
"""
