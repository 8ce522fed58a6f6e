"""Networks of layers of motifs: from a file, with readouts, and as one circuit."""
