"""Where a fault in a YAML file is, and what it is, in a line."""

from yaml import MarkedYAMLError

from unidelta.errors import first_line


def fault_of_yaml(error: Exception) -> str:
    """`line 2, column 9: found duplicate key seed`; of another error, its first line."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: {error.problem}"
    return first_line(error)
