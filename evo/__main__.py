"""python -m evo"""

from evo.cli import main

main()
