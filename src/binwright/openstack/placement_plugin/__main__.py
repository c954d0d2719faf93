"""Makes the change feed in a Placement database, or takes it out, with an account that may create triggers.

python -m binwright.openstack.placement_plugin create|drop URL
"""

import sys

import sqlalchemy as sa  # type: ignore[import-not-found]

from binwright.openstack.placement_plugin import feed


def main(arguments: list[str]) -> int:
    """Exit code 0, or 2 with one line on stderr."""
    acts = {"create": feed.create, "drop": feed.drop}
    if len(arguments) != 2 or arguments[0] not in acts:
        print("usage: python -m binwright.openstack.placement_plugin create|drop URL", file=sys.stderr)
        return 2
    try:
        acts[arguments[0]](sa.create_engine(arguments[1]))
    except (feed.NoFeed, sa.exc.SQLAlchemyError) as problem:
        print(str(problem).splitlines()[0], file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
