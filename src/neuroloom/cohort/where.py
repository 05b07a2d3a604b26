"""Choose rows of a cohort by a condition such as ``age > 18 and site in ['CMU', 'SBL']``, read safely."""

import ast
import operator

import pandas as pd

from neuroloom.errors import NeuroloomError
from neuroloom.parts import check_known

COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda column, values: column.isin(list(values)),
    ast.NotIn: lambda column, values: ~column.isin(list(values)),
}
FORM = "Conditions look like: age >= 18 and site in ['A', 'B'] and known(diagnosis)."


def chosen_rows(table, condition):
    """Return a boolean Series: the rows of ``table`` where ``condition`` holds.

    Only column names, constants, lists, comparisons, ``and``, ``or``, ``not`` and ``known(column)`` are
    understood; nothing is executed.
    """
    try:
        tree = ast.parse(condition, mode="eval").body
    except SyntaxError as error:
        raise NeuroloomError(f"cohort.where cannot be read: {condition!r} ({error.msg}). {FORM}") from None
    try:
        return _value(tree, table).astype(bool)
    except TypeError as error:
        raise NeuroloomError(f"cohort.where {condition!r} compares unlike things: {error}. {FORM}") from None


def columns_named(condition):
    """Return the set of names in a condition: its columns, and ``known`` where it asks that."""
    return {node.id for node in ast.walk(ast.parse(condition, mode="eval")) if isinstance(node, ast.Name)}


def _value(node, table):
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, table) for item in items]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
            return -value
        case ast.Name(id=name):
            return _column(name, table)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ~_value(inner, table)
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), [_value(part, table) for part in parts])
        case ast.Call(func=ast.Name(id="known"), args=[ast.Name(id=name)], keywords=[]):
            return _column(name, table).notna()
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return COMPARISONS[type(op)](_value(left, table), _value(right, table))
    raise NeuroloomError(f"cohort.where does not understand {ast.unparse(node)!r}. {FORM}")


def _joined(every, parts):
    joined = parts[0]
    for part in parts[1:]:
        joined = joined & part if every else joined | part
    return joined


def _column(name, table):
    check_known("column in cohort.where", name, table.columns)
    column = table[name]
    return column.astype(str).where(column.notna()) if isinstance(column.dtype, pd.CategoricalDtype) else column
