"""What runs inside a foreign interpreter: Python 3.7 syntax, the standard library and NumPy.

The package imports nothing of `harness`. A framework is imported by the port that needs it, in the
worker, late.
"""
