"""The command line, `binwright VERB ...`: one module a verb, each with `configure(parser)` and `run(options)`."""
