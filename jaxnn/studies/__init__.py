"""Recipes that run on the host: settings in, a store out; they jit, cut into chunks, show progress
and resume.
"""
