"""What a run would train, without weights, data or network: the design and its closed-form counts.

No torch: the models are not built. `python -m unidelta.fidelity counts` and the tests compare the closed form with the
parameters of real models.
"""

import json

from unidelta.config.run_spec import RunSpec
from unidelta.design.describe import describe
from unidelta.design.spec import Deltas
from unidelta.run.coordinates import coordinates, parameters
from unidelta.run.describe import design_text


def dry_run(spec: RunSpec) -> None:
    """Print the design, its counts, and the same as a JSON object in the last line."""
    print(design_text(spec))
    parts = spec.design.parts if isinstance(spec.design, Deltas) else ()
    bottlenecks = {str(part.slot): part.bottleneck for part in parts}
    last = {**coordinates(spec), "design": describe(spec.design), "bottlenecks": bottlenecks, **parameters(spec)}
    print(json.dumps(last, ensure_ascii=False))
