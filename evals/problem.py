"""The one error of evals: something the caller can put right.

Knows nothing. Every module of evals raises it or a kind of it with one line that says what to do;
evals/__main__.py prints that line and ends with exit code 2.
"""


class EvalProblem(Exception):
    """A command cannot go on; the message names the place and the next step."""
