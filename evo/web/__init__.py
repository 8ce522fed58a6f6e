"""The lab: a local web application over run folders (`evo lab`), and the same in a notebook (`evo.lab`).

A browser sends questions in JSON (`questions`), which the open folder (`runs`), a bench (`bench`) and others answer; `app`
carries them over HTTP, guarded by `safety`, and `widget` from a notebook. Inspecting a run executes nothing in its folder.
"""
