"""`python -m comity`."""

from comity.node.main import main

main()
