"""The wiring of circuits as graphs: canonical form, subgraphs, motifs that have a name."""
