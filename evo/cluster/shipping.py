"""Code on the machines of a cluster: what they have, and how this machine's is sent to them."""

from evo.cluster import code

LOOK_S = 60


def environment() -> dict:
    """Ray's runtime environment that sends the packages along.

    Where they lie then is another folder in each of Ray's sessions; what is compiled of them is kept in the user's cache, for
    later sessions too. (`circuits.numerics.compiled` keeps it apart by the text of the sources and by the processor.)
    """
    return {
        "py_modules": [str(package) for package in code.PACKAGES],
        "excludes": ["__pycache__", "*.nbi", "*.nbc"],
        "env_vars": {"NUMBA_CACHE_DIR": "${HOME}/.cache/evocircuits"},
    }


def without_this_code() -> str | None:
    """How many of the machines that work have no evocircuits or another one, as "2 of 5"; None if all have this one. One that
    does not say is counted."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def installed():  # nested, so that it is sent as it stands: the module may be what is missing
        try:
            from evo.cluster.code import digest

            return digest()
        except Exception:
            return None

    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    look = ray.remote(num_cpus=0, max_retries=1)(installed)
    asked = [look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(n, soft=False)).remote() for n in nodes]
    said = ray.wait(asked, num_returns=len(asked), timeout=LOOK_S)[0] if asked else []
    alike = 0
    for answer in said:
        try:
            alike += ray.get(answer) == code.digest()
        except ray.exceptions.RayError:  # the machine has gone
            continue
    return f"{len(nodes) - alike} of {len(nodes)}" if alike < len(nodes) else None
