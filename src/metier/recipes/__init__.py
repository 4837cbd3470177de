"""Recipes: a YAML file that says how a specialist is made and how it is proven, and the way through it."""

from metier.recipes.recipe import Recipe, load_recipe, shipped_recipes

__all__ = ["Recipe", "load_recipe", "shipped_recipes"]
