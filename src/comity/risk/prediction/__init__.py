"""Prediction: histories that know only the past, partners' records beside own ones, boosted trees, inspection policies.

Needs the extra `learning`; so nothing is imported here, and who needs a module names it.
"""
