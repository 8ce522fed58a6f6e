"""The wiring of circuits as graphs: canonical form, subgraphs, named motifs."""
