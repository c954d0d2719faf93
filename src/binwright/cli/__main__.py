"""`python -m binwright.cli` is `binwright`."""

from binwright.cli.main import main

raise SystemExit(main())
