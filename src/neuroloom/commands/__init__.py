"""Commands of the door, by what they are about; heavy libraries are imported by the command that needs them."""
