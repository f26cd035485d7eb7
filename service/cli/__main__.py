"""``python -m service.cli``: the ``winnow`` command where no script is on the path."""

from service.cli import main

main()
