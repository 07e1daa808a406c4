"""Models in the node: kept signed, approved by a second officer, used in assessments, watched, retired.

Nothing here loads a library of the extra `learning` by being imported; what needs one asks for it by name.
"""
