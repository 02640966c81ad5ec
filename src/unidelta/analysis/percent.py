"""Shares of parameters as tables, figures and boards show them: two digits that count, everywhere alike."""


def percent_text(value: float) -> str:
    """`3.6` for 3.56, `0.033`, `100`."""
    return f"{float(f'{value:.2g}'):g}"
