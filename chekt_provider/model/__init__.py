"""Inputs, the shapes on the wire, the records that state keeps, and how texts, ids and times compare."""
