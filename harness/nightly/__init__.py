"""`harness nightly`: a matrix of comparisons, one after another, night by night.

`config` reads `nightly.toml`, `matrix` makes cells of it, `support` asks what this machine can run,
`cells` runs them, `night` keeps what became of them on disk, `summary` and `index` draw it.
"""
