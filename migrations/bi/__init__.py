"""The `bi` schema as revision 0006 made it; a later revision replaces views, it does not edit these."""
