"""The tasks that ship with the framework: one file per family."""

from fitness.tasks.gate import Gate
from fitness.tasks.itd import Itd
from fitness.tasks.order import Order

BUILT_IN = {task.name: task for task in (Itd, Order, Gate)}
