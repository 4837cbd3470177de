"""Métier turns a general open-weight model into a specialist and proves that it is better.

Importing this package imports no torch: each step loads what it needs when it runs.
"""

__version__ = "0.1.0"
