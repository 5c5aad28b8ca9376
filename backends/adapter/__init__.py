"""Ports made of objects that somebody already has: what is the same for every framework.

`side.Side` is what each backend's adapter (`backends/<backend>/adapter`) implements; `port.Port`
makes of it what the worker records and times.
"""
