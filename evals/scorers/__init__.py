"""What a machine can say of a dialogue: one small pure function each, in files by theme."""
