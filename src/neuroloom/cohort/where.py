"""Choose rows of a cohort by a condition such as ``age > 18 and site in ['CMU', 'SBL']``, read safely."""

import ast
import operator
from dataclasses import replace

import pandas as pd

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known

COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda column, values: column.isin(values),
    ast.NotIn: lambda column, values: ~column.isin(values),
}
FORM = "Conditions look like: age >= 18 and site in ['A', 'B'] and known(diagnosis)."


def chosen(cohort, where):
    """Return the rows of a cohort where a condition holds; the cohort's notes say how many were left out."""
    keep = chosen_rows(cohort.table, where).to_numpy()
    if not keep.any():
        raise NeuroloomError(f"{cohort.name}: no row is left where {where}.")
    note = f"{int((~keep).sum())} of {len(cohort)} samples left out by the condition: {where}"
    return replace(cohort.subset(keep), notes=(*cohort.notes, note))


def chosen_rows(table, condition):
    """Return a boolean Series: the rows of ``table`` where ``condition`` holds.

    Only column names, constants, lists, comparisons, ``and``, ``or``, ``not`` and ``known(column)`` are
    understood; nothing is executed. What is compared with a missing value is neither true nor false, also
    under ``not``, and a row is chosen only where the whole is true.
    """
    try:
        tree = ast.parse(condition, mode="eval").body
    except SyntaxError as error:
        raise NeuroloomError(f"cohort.where cannot be read: {condition!r} ({error.msg}). {FORM}") from None
    try:
        return _truth(tree, table).fillna(False).astype(bool)
    except TypeError as error:
        raise NeuroloomError(f"cohort.where {condition!r} compares unlike things: {error}. {FORM}") from None


def columns_named(condition):
    """Return the set of names in a condition: its columns, and ``known`` where it asks that."""
    return {node.id for node in ast.walk(ast.parse(condition, mode="eval")) if isinstance(node, ast.Name)}


def _truth(node, table):
    """Return whether a condition holds, a row each: true, false, or missing (pandas' three-valued boolean)."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ~_truth(inner, table)
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), [_truth(part, table) for part in parts])
        case ast.Call(func=ast.Name(id="known"), args=[ast.Name(id=name)], keywords=[]):
            return _column(name, table).notna().astype("boolean")
        case ast.Name(id=name) if pd.api.types.is_bool_dtype(_column(name, table)):
            return table[name].astype("boolean")
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return _compared(_column(name, table), op, right, table)
    raise NeuroloomError(
        f"cohort.where does not understand {ast.unparse(node)!r} as a condition (a column stands on the left). {FORM}"
    )


def _compared(column, op, right, table):
    other = _operand(right, table)
    if isinstance(op, ast.In | ast.NotIn) != isinstance(other, list):
        raise NeuroloomError(
            f"cohort.where: on the right of {'in' if not isinstance(other, list) else 'a comparison'} stands "
            f"{ast.unparse(right)!r}; 'in' wants a list such as ['A'], the others one value. {FORM}"
        )
    holds = COMPARISONS[type(op)](column, other).astype("boolean")
    missing = column.isna() | (other.isna() if isinstance(other, pd.Series) else False)
    return holds.mask(missing)


def _operand(node, table):
    """Return what a column is compared with: a constant, a list of constants, or another column."""
    match node:
        case ast.Constant(value=str() | int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items) if not any(isinstance(item, ast.Name) for item in items):
            return [_operand(item, table) for item in items]
        case ast.Name(id=name):
            return _column(name, table)
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
