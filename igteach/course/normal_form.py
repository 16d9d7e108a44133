"""An answer as it is compared with others: without comments, annotations and layout, its own names replaced."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator

LONGEST_SOURCE = 20_000  # characters that are read; the longest solution of the course has under a thousand
LONGEST_FORM = 1_000  # tokens that are compared
TOKEN = re.compile(r"\w+|[^\w\s]")
MAGIC_LINE = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)  # IPython's, which Python does not parse
LOCAL = "v"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NAMED = (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
Names = dict[str, str]


def normal_form(source: str, stub: str = "") -> tuple[str, ...]:
    """Bring an answer into the form in which answers are compared.

    Args:
        source: The student's cell. If it does not parse, its comments are removed and its names stay as they are.
        stub: The cell as it was handed out, whose lines do not count.

    Returns:
        Tokens, none for an untouched cell. Parameters are named by their place, other names of the answer's own are
        all alike, and so renaming, comments and layout change nothing.

    Example:
        >>> normal_form("def walk(f, stops):  # mine\\n    return f( stops )", "def walk(f, stops):\\n    ...")
        ('return', 'p0', '(', 'p1', ')')
    """
    of_stub = Counter(_lines(stub))
    tokens: list[str] = []
    for line in _lines(source):
        if of_stub[line]:
            of_stub[line] -= 1
        else:
            tokens += TOKEN.findall(line)
    return tuple(tokens[:LONGEST_FORM])


def is_cut(source: str) -> bool:
    """Whether an answer is too long to be compared to its end.

    Args:
        source: The student's cell.

    Returns:
        True if it has more characters than are read.
    """
    return len(source) > LONGEST_SOURCE


def _lines(source: str) -> list[str]:
    code = source[:LONGEST_SOURCE]
    for text in (code, MAGIC_LINE.sub("", code)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python, on the student's code
                lines = [line.strip() for line in _unparsed(text).splitlines()]
            return [line for line in lines if line != "pass"]
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # nesting and numbers have limits in Python
            continue
    return [" ".join(TOKEN.findall(line.partition("#")[0])) for line in code.splitlines()]


def _unparsed(code: str) -> str:
    tree = ast.parse(code)
    names = dict.fromkeys(_bound(tree), LOCAL) | _imported(tree)
    return ast.unparse(_Renamed(names).visit(_Bare().visit(tree)))


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that a piece of code gives to something, imports aside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, NAMED) and node.name:
            yield node.name


def _imported(tree: ast.AST) -> Names:
    """What the names stand for that imports bind, such as torch.stack for `from torch import stack as s`."""
    names: Names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


class _Bare(ast.NodeTransformer):
    """Takes out what changes nothing that is computed: docstrings, annotations, imports, `pass`."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit what is inside; a body that loses its last statement gets `pass`."""
        super().generic_visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        if isinstance(node, FUNCTIONS):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))

    def _leave_out(self, node: ast.AST) -> None:
        return None

    visit_Import = visit_ImportFrom = visit_Global = visit_Nonlocal = visit_Pass = _leave_out


class _Renamed(ast.NodeTransformer):
    """Names the parameters of a top-level function by their place, and all else by a table."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.depth = 0

    def visit(self, node: ast.AST) -> ast.AST:
        """Rename in a node, and in what is inside it; a function inside another has names of its own."""
        outside = self.names
        if isinstance(node, SCOPES):
            self.names = outside | dict.fromkeys(_bound(node), LOCAL)
            if self.depth == 0 and isinstance(node, FUNCTIONS):
                self.names |= _by_place(node.args)
            self.depth += 1
        self._rename(node)
        self.generic_visit(node)
        if isinstance(node, SCOPES):
            self.names = outside
            self.depth -= 1
        return node

    def _rename(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            node.id = self.names.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = self.names.get(node.arg, node.arg)
        elif isinstance(node, NAMED) and node.name:
            node.name = LOCAL
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.names:
            for keyword in node.keywords:  # of a function of the answer's own
                keyword.arg = LOCAL if keyword.arg else None


def _by_place(arguments: ast.arguments) -> Names:
    places = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {argument.arg: f"p{place}" for place, argument in enumerate(places)}
