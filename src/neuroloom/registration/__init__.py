"""Where the points of one scan lie in another: affine maps between two scans, and the space half-way between them.

SimpleITK is the extra ``register``; it is imported where it is used.
"""
