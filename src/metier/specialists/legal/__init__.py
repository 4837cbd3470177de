"""Tools of Chinese labour law: plain typed functions that compute, look up and lay out; none of them needs a model.

Every result says what it rests on: the articles, the figures and whose words they come from, and what is missing.
"""
