"""From one YAML file to a converged Linux network, and kept there.

                 pure                                                      pure             pure
    file ─► document ─► desire ─► fill ─► pending split ─► desired ─┐
                          ▲         ▲                               ├─► plan ─► Plan ─► text | commands
                        facts      seen                             │            │ steps
    kernel ────────────────────────┴─────────────────► observed ────┘            ▼
       ▲                                                            apply, step by step ─► read again: as predicted?

Layers, a higher one may import a lower one (import-linter enforces it):

    cli  >  watch, markserver  >  engine  >  kernel, render, explain  >  resources  >  config  >  core  >  errors

Words: *config* the file; *desired* the objects it means; *observed* the objects that are there; *diff* their
comparison; *change* one thing to do; *step* what goes to the kernel at once; *plan* all changes in order;
*apply* execute a plan; *verify* read again; *converged* nothing left to do; *drift* a difference that came
later; *owned* or *ours* made by us, as the kernel itself says; *foreign* made by anybody else; *conflict* a
foreign object on a desired key; *collateral* foreign objects that the kernel would remove along with ours;
*pending* waiting for what the file does not make; *facts* what kernel and tools can do; *record* the file that
remembers what the kernel cannot tell.
"""
