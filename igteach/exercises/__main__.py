"""`python -m igteach.exercises mutate [NN.N ...]`: no mutant of a right answer may be called solved."""

import argparse
import warnings

from igteach.exercises.cases import TASKS
from igteach.exercises.mutation import mutants, put_to_the_check


def main() -> int:
    """Run the command.

    Returns:
        The exit code: 1 if a mutant passes that is not known to be right.
    """
    parser = argparse.ArgumentParser(prog="python -m igteach.exercises", description=__doc__)
    parser.add_argument("command", choices=["mutate"])
    parser.add_argument("exercises", nargs="*", metavar="NN.N", help="exercises; all if none is given")
    asked = parser.parse_args().exercises or list(TASKS)
    warnings.simplefilter("ignore")  # a mutant may divide by zero
    wrongly = 0
    for exercise in asked:
        judged = [put_to_the_check(mutant) for mutant in mutants(exercise)]
        passing = [each for each in judged if each.passes_wrongly]
        excused = sum(each.verdict.state == "solved" for each in judged) - len(passing)
        print(f"{exercise}: {len(judged)} mutants, {excused} of them equally right, {len(passing)} pass wrongly")
        for each in passing:
            print(f"    {each.mutant.change}")
        wrongly += len(passing)
    return 1 if wrongly else 0


if __name__ == "__main__":
    raise SystemExit(main())
