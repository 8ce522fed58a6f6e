"""The lab: a local web application over run folders (`evo lab`), and the same in a notebook (`evo.lab`).

A browser asks questions in JSON (`questions`), which the open folder (`runs`), a bench (`bench`) and the like answer; `app`
carries them over HTTP, where `safety` says who may ask, and `widget` carries them from a notebook. Looking at a run executes
nothing that lies in its folder.
"""
