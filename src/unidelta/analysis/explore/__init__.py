"""Boards, curves and comparisons of any runs, whatever their methods, tasks and metrics are called."""
