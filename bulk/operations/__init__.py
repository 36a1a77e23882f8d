"""What the operations of Amazon Connect accept and refuse, from botocore's service model, as data.

service_model  the operations, by AWS's name: their inputs compiled to trees of shapes
limits         what AWS documents beyond the model
types          what the others speak of: a shape, and the violation of one
scalars        shapes of one value
containers     shapes that hold others
relations      what ties several members of an operation together
builder        a campaign's table compiled with these, for the rows that are sound
verdicts       what each error of the service means for the call that met it
"""

from bulk.operations.builder import Build
from bulk.operations.relations import at
from bulk.operations.service_model import MODELS, Operation, operation
from bulk.operations.types import UNKNOWN, Part, Shape, Violation, Violations, leaves

__all__ = [
    "MODELS",
    "UNKNOWN",
    "Build",
    "Operation",
    "Part",
    "Shape",
    "Violation",
    "Violations",
    "at",
    "leaves",
    "operation",
]
