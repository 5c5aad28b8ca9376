"""Plots of the HTML report: a module a kind, each of which makes `figure.Figure`s from rows of the
model.

They are SVG, drawn here, and not by a plotting library in the page: a page with plotly.js holds 4.8
MB of script before its first number, has to be allowed to run scripts though it shows names and
error texts from anywhere, draws nothing for a screen reader, and does not follow light and dark.
Hundreds of plots of this size are drawn by a browser at once, and looking at exact values needs no
script either: points have titles, and every figure has a table of its numbers.
"""
