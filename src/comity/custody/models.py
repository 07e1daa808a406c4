"""Tables: who was given what, what was recalled, and what each holder signed about it."""
