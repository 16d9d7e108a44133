"""The axioms as checks that any method can be put to, and the cases that they are put to."""

from igteach.axioms.checks import (
    AXIOMS,
    CHECKS,
    TITLES,
    AxiomResult,
    AxiomTable,
    Counterexample,
    Method,
    axiom_table,
    completeness,
    implementation_invariance,
    linearity,
    sensitivity_a,
    sensitivity_b,
    symmetry,
)

__all__ = [
    "AXIOMS",
    "CHECKS",
    "TITLES",
    "AxiomResult",
    "AxiomTable",
    "Counterexample",
    "Method",
    "axiom_table",
    "completeness",
    "implementation_invariance",
    "linearity",
    "sensitivity_a",
    "sensitivity_b",
    "symmetry",
]
