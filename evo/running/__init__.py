"""Running of searches and studies in their folders: begin, go on, resume, fork."""
