"""The door: bytes from outside become events, or an answer that says how to mend them."""
