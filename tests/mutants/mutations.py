"""The mutants of a module: each is the module's source with one small change."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import libcst as cst
from libcst import matchers
from libcst.metadata import CodePosition, MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

_TURNED_ROUND: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.GreaterThan,
    cst.LessThanEqual: cst.GreaterThanEqual,
    cst.GreaterThan: cst.LessThan,
    cst.GreaterThanEqual: cst.LessThanEqual,
}

_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)
_SUBQUERY = matchers.Attribute(attr=matchers.Name("subquery"))


@dataclass(frozen=True)
class Mutant:
    """A changed copy of a module.

    `function` is the function or class that holds the change, "" for the module itself. `was` and `now` are the lines
    that differ, without their indentation. Together the three name a mutant in `equivalent.toml`, so that an entry there
    stays right when lines above it come and go.
    """

    line_number: int
    function: str
    was: str
    now: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The name of the mutant within its module."""
        return self.function, self.was, self.now


def mutants_of(source: str) -> list[Mutant]:
    """All mutants of a module's source that Python can compile, in the order of the source.

    Left alone are annotations, imports and decorators; the texts of messages, because `flask translations check` notices
    one that differs from the catalogue; and the names of subqueries, which only the SQL text shows.
    """
    collector = _Collector(source)
    MetadataWrapper(cst.parse_module(source)).visit(collector)
    return [mutant for mutant in collector.mutants.values() if _compiles(mutant.source)]


def _turned_round(node: cst.ComparisonTarget) -> Iterable[cst.ComparisonTarget]:
    """Turn a comparison round, `<` to `>`: mutmut only moves its edge, `<` to `<=`."""
    turned = _TURNED_ROUND.get(type(node.operator))
    if turned is not None:
        yield node.with_changes(operator=turned())


_OPERATORS = (*mutation_operators, (cst.ComparisonTarget, _turned_round))


class _Collector(cst.CSTVisitor):
    """Walks through a module and makes its mutants. The same change made by two operators is one mutant."""

    METADATA_DEPENDENCIES = (PositionProvider, WhitespaceInclusivePositionProvider)

    def __init__(self, source: str) -> None:
        super().__init__()
        self.mutants: dict[str, Mutant] = {}
        self._source = source
        self._line_starts = [0, *accumulate(len(line) for line in source.splitlines(keepends=True))]
        self._names: list[str] = []
        self._subquery_names: set[cst.CSTNode] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _LEFT_ALONE) or _is_message(node) or node in self._subquery_names:
            return False
        if isinstance(node, cst.Call) and matchers.matches(node.func, _SUBQUERY):
            self._subquery_names.update(node.args)
            return True
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                for replacement in operator(node):
                    self._keep(node, replacement)
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._names.append(node.name.value)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self._names.pop()

    def _keep(self, node: cst.CSTNode, replacement: cst.CSTNode) -> None:
        place = self.get_metadata(WhitespaceInclusivePositionProvider, node)
        before = self._source[: self._offset(place.start)]
        changed = before + cst.Module([]).code_for_node(replacement) + self._source[self._offset(place.end) :]
        if changed != self._source:
            line_number = self.get_metadata(PositionProvider, node).start.line
            was, now = _difference(self._source, changed)
            self.mutants.setdefault(changed, Mutant(line_number, ".".join(self._names), was, now, changed))

    def _offset(self, position: CodePosition) -> int:
        return self._line_starts[position.line - 1] + position.column


def _is_message(node: cst.CSTNode) -> bool:
    return matchers.matches(node, matchers.Call(func=matchers.Name("N_")))


def _compiles(source: str) -> bool:
    try:
        compile(source, "<mutant>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _difference(source: str, changed: str) -> tuple[str, str]:
    """The lines that differ, before and after, without their indentation."""
    before_lines, after_lines = ([line.strip() for line in text.splitlines()] for text in (source, changed))
    marked = list(difflib.unified_diff(before_lines, after_lines, n=0))[2:]
    before, after = ("\n".join(line.removeprefix(mark) for line in marked if line.startswith(mark)) for mark in "-+")
    return before, after
